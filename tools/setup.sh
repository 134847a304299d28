#!/bin/sh
# Set up a checkout: Debian packages that are missing (as root or with sudo), then a virtual
# environment from pinned and hashed requirements. Does nothing twice.
set -eu
cd "$(dirname "$0")/.."

packages="pcscd vsmartcard-vpcd libpcsclite-dev swig gcc libc6-dev pkg-config \
python3-dev python3-venv pcsc-tools opensc opensc-pkcs11 softhsm2 postgresql fonts-noto-cjk"

say() { printf '%s\n' "$*" >&2; }

missing_packages() {
    for package in $packages; do
        status=$(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "These Debian packages are missing: $missing"
        say "Install them as root, then start again: apt-get install $missing"
        exit 1
    fi
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        say "This is no Debian: the following have to be there under their names here: $packages"
        return
    fi
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        say "Installing Debian packages: $missing"
        as_root apt-get update -qq
        # shellcheck disable=SC2086 # one argument a package
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install --yes -qq --no-install-recommends $missing >/dev/null
    fi
}

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed and was not found; name one: make setup PYTHON=/path/to/python3"
    exit 1
}

install_packages
python=$(find_python)

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Making .venv with $python"
    "$python" -m venv --clear .venv
fi

say "Installing Python packages into .venv"
install=".venv/bin/python -m pip --disable-pip-version-check install --quiet"
$install --require-hashes -r requirements-build.txt
# pyscard and, where no wheel fits, others are built here: with the pinned setuptools, not with one
# fetched for the occasion.
$install --require-hashes --no-build-isolation -r requirements-dev.txt
$install --no-deps --no-build-isolation --editable .

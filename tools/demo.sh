#!/bin/sh
# The demonstration: a real PC/SC service with two virtual readers, a roster of four people who do
# not exist, four virtual cards; the cards are issued, checked and read back.
set -eu
cd "$(dirname "$0")/.."

# Virtual readers bring a PC/SC service of their own, apart from the machine's; that needs root.
if [ "$(id -u)" -ne 0 ]; then
    exec sudo sh tools/demo.sh
fi

PATH="$PWD/.venv/bin:$PATH"
out=out/demo
rm -rf "$out"
mkdir -p "$out"
export XDG_DATA_HOME="$PWD/$out/data" XDG_STATE_HOME="$PWD/$out/state"
runtime=$(mktemp -d)
started=""

stop() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    for pid in $started; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$runtime"
    [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" out
}
trap stop EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

run() {
    printf '\n$ cardkit'
    for word in "$@"; do
        case "$word" in
            *" "*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    cardkit "$@"
}

until_there() {
    tries=0
    until eval "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then
            echo "this did not happen in 20 seconds: $2" >&2
            tail -n 20 "$out"/*.log >&2
            exit 1
        fi
        sleep 0.2
    done
}

say "1. Two virtual readers 虚拟读卡器, served by a real PC/SC daemon"
export CARDKIT_RUNTIME_DIR="$runtime"
cardkit virtual readers --count 2 >"$out/readers.log" 2>&1 &
started="$started $!"
until_there "grep -q 'slot 1' '$out/readers.log'" "readers"

say "2. Cards: three pre-made ones 预制卡 in a stack at the first reader, a blank chip 空白卡 in the second"
cardkit virtual card --state premade --serial 40000001 --count 3 --slot 0 >"$out/stack.log" 2>&1 &
started="$started $!"
cardkit virtual card --state blank --serial 50000001 --slot 1 >"$out/blank.log" 2>&1 &
started="$started $!"
until_there "[ \"\$(cardkit reader list --json | grep -c '\"card\": true')\" -eq 2 ]" "cards"
run reader list

say "3. A roster 花名册 of people who do not exist"
run roster sample 4 --seed 11 --encoding gb18030 --out "$out/roster.csv"
run roster check "$out/roster.csv" --profile test

say "4. Issue 制卡: a roster goes in, cards and a registry come out"
run issue "$out/roster.csv" --profile test --reader Virtual --out "$out/issued"

say "5. Read back 读卡 the card that was a blank chip a moment ago"
run card read --reader "00 01"
run card verify --reader "00 01" --profile test --registry "$out/data/cardkit/registry.db"

say "6. The registry 登记库 knows them all"
run registry list
run registry audit --verify

cards=$(cardkit registry list --json --state issued | grep -c '"card_number"')
say "Done: $cards cards were issued through pcscd and read back. Everything is in $out/"

"""Native personalization commands of chip operating systems, one package each."""

#!/bin/sh
# Check who signed a checkpoint, with OpenSSL 3:
#
#     sh signature.sh checkpoints/2026-11-22.txt
#
# key.pem lies beside this script; compare it with a copy that you got another way.
set -eu
note=$1
key=${2:-$(dirname "$0")/key.pem}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What was signed is everything above the empty line.
sed '/^$/,$d' "$note" > "$work/body"
origin=$(head -n 1 "$work/body")
# Below it, each line is a dash, a name and base64: four bytes of key id, then the
# signature.
sed '1,/^$/d' "$note" | while read -r dash name signed; do
  if [ "$dash" = "—" ] && [ "$name" = "$origin" ]; then printf '%s\n' "$signed"; fi
done | head -n 1 > "$work/line"
openssl base64 -d -A -in "$work/line" | tail -c +5 > "$work/signature"
openssl pkeyutl -verify -pubin -inkey "$key" -rawin \
  -in "$work/body" -sigfile "$work/signature"

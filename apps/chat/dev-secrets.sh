#!/bin/sh
# Make the secrets that compose.yaml needs: files below .secrets; .env says where they are.
# What is there already is kept, as the database knows its password from its first start. --new replaces the secrets,
# and then the database has to be a new one too: docker compose down --volumes.
set -eu
cd "$(dirname "$0")"
folder=.secrets
case "${1:-}" in
    "") replace=no ;;
    --new) replace=yes ;;
    *) echo "usage: ./dev-secrets.sh [--new]" >&2; exit 2 ;;
esac
if [ -e "$folder" ] && [ "$replace" = no ]; then
    echo "$folder is there already: nothing was changed. ./dev-secrets.sh --new makes new ones." >&2
    exit 1
fi
# Made beside it and moved: an interruption leaves no half of them. Only the folder is closed to others on this machine,
# as the files are read by the containers' own users.
made=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$made"' EXIT
for name in database_password redis_password secret_key pgadmin_password; do
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$made/$name"
    chmod 0644 "$made/$name"
done
rm -rf "$folder"
mv "$made" "$folder"
grep -qs '^CHAT_SECRETS=' .env || echo "CHAT_SECRETS=./$folder" >>.env
echo "secrets made below $folder; now: docker compose up --build --wait"

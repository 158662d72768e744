#!/bin/sh
# What `make demo` shows: a real pipeline twice, then with one parameter changed, and where the model came from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
demo=${1:-"$here/../build/demo"}
rm -rf "$demo"
mkdir -p "$demo"
cp "$here/digits.py" "$demo/"
cd "$demo"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }

if command -v git >/dev/null; then
    git init --quiet .
    git add digits.py
    git -c user.name=demo -c user.email=demo@example.invalid commit --quiet -m "Add the digits pipeline"
fi
run art init
run art run digits.py
run art run digits.py
run art run digits.py -p max_depth=4
run art why train
run art log digits-model --graph
run art show digits-model
run art cat digits-report
run art status
printf '\nLook around in %s\n' "$(pwd)"

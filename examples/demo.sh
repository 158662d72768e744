#!/bin/sh
# What `make demo` shows: a real pipeline twice, then with a parameter changed, which of the models is best, and where
# that one came from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
demo=${1:-"$here/../build/demo"}
rm -rf "$demo"
mkdir -p "$demo"
cp "$here/digits.py" "$demo/"
cd "$demo"

bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

# A command as it could be typed: what holds more than a word gets quotes.
say() {
    line=''
    for each; do
        case $each in *[!A-Za-z0-9_./=@:-]*) each="'$each'" ;; esac
        line="$line $each"
    done
    printf '\n%s$%s%s\n' "$bold" "$line" "$plain"
}
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
run art cat digits-report
for depth in 2 8 16; do
    run art -q run digits.py -p max_depth=$depth
done
run art runs --sort -accuracy
run art plot accuracy --by max_depth
run art tag digits-model production -m "deep enough"
run art show digits-model@production
run art log digits-model@production --graph
printf '\nLook around in %s\n' "$(pwd)"

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Proves that docs/ARCHITECTURE.md tells all it takes to add a type: applies
# tests/toy_type.patch to a copy of the tree, builds it, runs the new tests and
# the tidy checks there, and compares the files it touches with the list.
set -u
cd "$(dirname "$0")/.." || exit 74
copy=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-toy-XXXXXX")
trap 'rm -rf "$copy"' EXIT
allowed='^(types/[a-z]+\.[ch]|types/type_list\.h|wal/record_list\.h|wal/record\.h|engine/(value|apply|cmd|command)_[a-z]+\.[ch]|engine/command\.h|FORMAT\.md|tests/[a-z_]+_test\.c|tests/e2e/[a-z_]+_test\.py)$'
passed=0 failed=0

step() { # NAME COMMAND...
	local name=$1 log=$copy/log
	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   toy type: $name"
	else
		failed=$((failed + 1))
		echo "FAIL toy type: $name"
		tail -n 30 "$log"
	fi
}

only_named_places() {
	git apply --numstat tests/toy_type.patch | cut -f3 | grep -vE "$allowed" && return 1
	git apply --stat tests/toy_type.patch
}

{ git ls-files -z 2>/dev/null || find . -path './build*' -prune -o -type f -print0; } |
	xargs -0 cp --parents -t "$copy" || exit 74
step "its patch names only the places the guide lists" only_named_places
cd "$copy" || exit 74
git init -q . 2>/dev/null
step "its patch applies" git apply tests/toy_type.patch
step "it builds" make -j2 all build/tests/tally_test
step "its unit test passes" build/tests/tally_test
step "its end-to-end test passes" tests/e2e/tally_test.py
step "tidy finds nothing" tools/tidy.py
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

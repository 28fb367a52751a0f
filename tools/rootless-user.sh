#!/bin/sh
# Prints the ordinary user that the tests of rootless builds run as. As root it makes
# the user "chartgate-e2e", with subordinate ids, where there is none; else it is the
# user that called.
set -eu

user=chartgate-e2e
if [ "$(id -u)" -ne 0 ]; then
	id -un
	exit
fi

id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user" >&2

# The first range of 65,536 ids above every range that the file names.
ensure_range() {
	file=$1 flag=$2
	touch "$file"
	grep -q "^$user:" "$file" && return
	start=$(awk -F: 'BEGIN { top = 100000 } $2 + $3 > top { top = $2 + $3 } END { print top }' "$file")
	usermod "$flag" "$start-$((start + 65535))" "$user"
}
ensure_range /etc/subuid --add-subuids
ensure_range /etc/subgid --add-subgids
echo "$user"

#!/bin/sh
# Gives secrets to the program without showing them in the container's definition:
# for every ACQUIT_X_FILE that is set, ACQUIT_X becomes the content of that file.
set -eu
for name in $(env | sed -n 's/^\(ACQUIT_[A-Z0-9_]*\)_FILE=.*/\1/p'); do
  eval "file=\$${name}_FILE"
  if [ ! -r "$file" ]; then
    echo "acquit: ${name}_FILE names $file, which cannot be read" >&2
    exit 78
  fi
  export "$name=$(cat "$file")"
  unset "${name}_FILE"
done
exec "$@"

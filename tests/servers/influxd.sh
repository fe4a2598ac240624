#!/usr/bin/env bash
# A real InfluxDB 2 for tests on 127.0.0.1: the server without its web UI, built from its Go module.
#
#   influxd.sh install              builds it into the cache: 9 to 16 minutes on two cores, once
#   influxd.sh run FOLDER PORT      runs it in the foreground, with its data in FOLDER
#   influxd.sh go                   prints the folder of a Go that is new enough
#
# Needs Rust, a C compiler, pkg-config and any Go; a Go that is too old fetches a newer one as a module.
# SURGECAST_CACHE names the cache (default ~/.cache/surgecast).
set -euo pipefail
version=v2.7.12
toolchain=go1.24.5
cache=${SURGECAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/surgecast}/influxdb
server=$cache/bin/influxd-$version

# Puts a Go that can build the server at the front of PATH.
new_enough_go() {
  local have
  have=$(go env GOVERSION)
  if [[ $(printf '%s\n' go1.24 "$have" | sort -V | head -1) == go1.24 ]]; then return; fi
  local module=golang.org/toolchain@v0.0.1-$toolchain.linux-$(go env GOARCH) folder
  echo "$have is too old for InfluxDB: fetching $module" >&2
  folder=$(cd "$cache" && GO111MODULE=on go mod download -json "$module" |
    sed -n 's/^\s*"Dir": "\(.*\)",*$/\1/p')
  [[ -d $folder ]] || { echo "could not fetch $module" >&2; exit 1; }
  # Files in the module cache are not executable.
  chmod -R u+w "$folder" && chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
  export GOROOT=$folder PATH=$folder/bin:$PATH
}

install() {
  [[ -x $server ]] && return
  local build=$cache/build
  mkdir -p "$cache/bin" "$build/lib"
  new_enough_go
  export GOTOOLCHAIN=local
  cd "$build"
  # As a tool of our own module: its go.mod has a `replace`, so that `go install` refuses it.
  printf 'module surgecast/influxd\n\ngo 1.24\n' >go.mod
  go get -tool "github.com/influxdata/influxdb/v2/cmd/influxd@$version"
  # The Rust part of its query engine, in the version of its go.mod.
  local flux flux_version
  flux_version=$(go list -m -f '{{.Version}}' github.com/influxdata/flux)
  if [[ ! -e lib/libflux.a ]]; then
    go mod download github.com/influxdata/flux
    flux=$(go list -m -f '{{.Dir}}' github.com/influxdata/flux)
    rm -rf flux && cp -r "$flux" flux && chmod -R u+w flux
    rm -f flux/rust-toolchain.toml
    # It treats warnings as errors, and newer compilers have more warnings. Without --target, RUSTFLAGS also apply to its
    # build script.
    (cd flux/libflux && RUSTFLAGS=--cap-lints=allow CARGO_TARGET_DIR="$build/target" \
      cargo rustc --release --locked --quiet --package flux --lib --crate-type staticlib)
    cp target/release/libflux.a lib/
  fi
  # Go's build cache keeps the output of pkg-config, also for another cache folder. So the folders are in the environment,
  # which is part of the cache key, and not in this file.
  cat >lib/flux.pc <<PC
Name: Flux
Version: ${flux_version#v}
Description: query engine of InfluxDB
Libs: -lflux -ldl -lm
PC
  PKG_CONFIG_PATH=$build/lib CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -I$build/flux/libflux/include" \
    CGO_LDFLAGS="-O2 -g -L$build/lib" go build -trimpath -tags sqlite_foreign_keys,sqlite_json \
    -ldflags "-s -w -X main.version=$version" -o "$server.new" github.com/influxdata/influxdb/v2/cmd/influxd
  mv "$server.new" "$server"
  cd / && rm -rf "$build"
}

run() {
  local folder=$1 port=$2
  [[ -x $server ]] || { echo "no InfluxDB at $server: run $0 install" >&2; exit 1; }
  mkdir -p "$folder"
  # --reporting-disabled turns off telemetry.
  exec "$server" --http-bind-address "127.0.0.1:$port" --reporting-disabled --log-level info \
    --bolt-path "$folder/influxd.bolt" --sqlite-path "$folder/influxd.sqlite" --engine-path "$folder/engine" \
    >>"$folder/influxd.log" 2>&1
}

case ${1:-} in
  install) install ;;
  run) (($# == 3)) || { echo "usage: $0 run FOLDER PORT" >&2; exit 2; }; run "$2" "$3" ;;
  go) mkdir -p "$cache" && new_enough_go && dirname "$(command -v go)" ;;
  *) echo "usage: $0 install | run FOLDER PORT | go" >&2; exit 2 ;;
esac

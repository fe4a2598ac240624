# What contributors run every day. `just` lists it; install it with `cargo install just` or from your distribution.
# The recipes are ordinary commands: without `just`, run the lines below them.

# List the recipes
default:
    @just --list

# Format, lints and types, in a minute
check:
    cargo fmt --check
    cargo clippy --locked --all-targets --quiet -- -D warnings

# Unit tests; a filter may follow: just unit ingest::
unit *FILTER:
    cargo test --locked --lib -- {{ FILTER }}

# Tests of the whole program; a filter may follow: just it serve::
it *FILTER='--skip real::':
    cargo test --locked --test it -- {{ FILTER }}

# Tests with real Kafka and InfluxDB, and of panels in the browser: `just servers` installs what they need
real FILTER='real::':
    cargo test --locked --test it -- {{ FILTER }} --nocapture --test-threads 2

# Install Kafka, InfluxDB and Grafana's libraries for the tests, once
servers:
    tests/servers/kafka.sh install
    tests/servers/influxd.sh install
    tests/panels/install

# Draw all panels in both languages, themes and two widths, and save the pictures
panels FOLDER='target/panels':
    SURGECAST_ALL_PANELS={{ FOLDER }} cargo test --locked --test it -- real::panels real::itself --nocapture --test-threads 1

# Accept a change of texts, of the API's description, and of the boards: read the difference afterwards
accept:
    INSTA_UPDATE=always cargo test --locked --lib text::
    UPDATE_GOLDEN=1 cargo test --locked --test it -- openapi:: boards::
    git diff --stat

# Links and spelling of the documentation, after tests/run has installed its tools
docs:
    "${SURGECAST_CACHE:-$HOME/.cache/surgecast}"/docs-venv/bin/python tests/docs/links.py
    PATH="${SURGECAST_CACHE:-$HOME/.cache/surgecast}/docs-venv/bin:$PATH" pyspelling --config tests/docs/spelling.yaml

# The demo in your browser: http://127.0.0.1:8080
demo *ARGS:
    cargo run --release --locked -- {{ ARGS }}

# Everything that CI runs; takes about an hour
all:
    tests/run

# The Debian package, into target/package
package *FLAGS:
    deploy/debian/build {{ FLAGS }}

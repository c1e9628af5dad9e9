# One door a task, the same for everybody and for the continuous build.
#
#   make run            set up, build, and start an exchange on its defaults, its data in ./data
#   make test           everything that must be green: format, lints, house rules, tests, real phones
#   make check          the fast part of it
#   make sim SEED=n     10,000 random office-hours, 100,000 races for one call, 100 shifts of a call centre, a working day with
#                       and without the automatic return (S0.18), a busy hour of 10,000 agents, and 1,000,000 calls between
#                       50 exchanges, from one seed
#   make fuzz           10 million mutated messages a parser
#   make sanitize       the tests of all unsafe code under the address sanitizer
#   make bench          us beside the peers, with ratios; writes bench/results.json

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
SEED ?= 1
# With everything that can be built: what links the system's library for card readers and that for sound.
ALL := --workspace --locked --features tap/card,headset/sound

.PHONY: run test check sim fuzz sanitize bench setup

run:
	@scripts/setup build
	cargo build --release --locked -p ringdown
	target/release/ringdown --data data serve

check:
	@scripts/setup build
	@scripts/setup tests
	cargo fmt --all --check
	cargo xtask tidy
	cargo clippy $(ALL) --all-targets -- -D warnings
	cargo test $(ALL)
	scripts/sanitize

test: check
	@scripts/setup peers
	@scripts/setup bench
	scripts/e2e
	scripts/bench --quick

sim:
	@scripts/setup build
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --hours 10000
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --races 100000
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --shifts 100
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --day
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --agents 10000
	cargo run --release --locked -p testkit --bin sim -- --seed $(SEED) --designations 1000000

fuzz:
	@scripts/setup build
	scripts/fuzz

sanitize:
	@scripts/setup build
	scripts/sanitize

bench:
	@scripts/setup build
	@scripts/setup bench
	scripts/bench

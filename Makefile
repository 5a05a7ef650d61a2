# Persea's commands; `make` alone lists them. GNU make 3.81 (macOS) is enough.
#
# Everything is built in the release profile: the dependencies are built once for the program, the tests
# and the checks. `check`, `unit` and `dev` build the project's own crates incrementally beside it, so
# that an edit takes seconds; what is installed and measured is built without.

PREFIX ?= $(HOME)/.local
DEMO ?= persea-demo
TORCH ?= 1
TESTS ?=
ROOM ?=
TEST ?=

# TORCH=0 builds without training, and with no libtorch anywhere.
ifeq ($(TORCH),0)
FEATURES := --no-default-features
WITH_LIBTORCH :=
else
FEATURES :=
WITH_LIBTORCH := scripts/with_libtorch.sh
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check unit dev build install uninstall bench lint clippy fmt docs deny python clean

help: ## this list
	@echo "Persea: an embedded database of the epigenome's learned representation"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  TORCH=0 leaves training and libtorch out; PREFIX=DIR says where to install;"
	@echo "  DEMO=DIR where the demo writes; TESTS='--lib search::' which tests to run."
	@echo "  LIBTORCH=DIR uses a libtorch of your own (CUDA), PERSEA_CACHE=DIR another cache."

demo: build ## simulate a compendium, train, impute what nobody ran, and score it (3 minutes)
	$(WITH_LIBTORCH) cargo run --release $(FEATURES) --quiet -- demo --output "$(DEMO)"

test: ## all tests
	scripts/with_references.sh $(WITH_LIBTORCH) cargo test --release $(FEATURES) $(TESTS)

# The loop while editing. INCREMENTAL changes nothing about the dependencies.
INCREMENTAL := CARGO_PROFILE_RELEASE_INCREMENTAL=true

check: ## while editing: compiles nothing, says what does not compile
	$(INCREMENTAL) $(WITH_LIBTORCH) cargo check --release $(FEATURES) --lib --bins

unit: ## while editing: the unit tests of ROOM=search, or of a crate (ROOM=genome); TEST=name picks some
ifneq ($(wildcard crates/$(ROOM)/Cargo.toml),)
	$(INCREMENTAL) $(WITH_LIBTORCH) cargo test --release --package persea-$(ROOM) --lib $(TEST)
else
	$(INCREMENTAL) $(WITH_LIBTORCH) cargo test --release $(FEATURES) --package persea --lib -- $(if $(TEST),$(TEST),$(ROOM)::)
endif

dev: ## while editing: the program, target/release/persea, built incrementally
	$(INCREMENTAL) $(WITH_LIBTORCH) cargo build --release $(FEATURES)

build: ## the program, target/release/persea
	$(WITH_LIBTORCH) cargo build --release $(FEATURES)

install: build ## program and libtorch, side by side, in PREFIX (~/.local)
ifeq ($(TORCH),0)
	scripts/install.sh "$(PREFIX)"
else
	libtorch=$$(scripts/libtorch.sh) && scripts/install.sh "$(PREFIX)" "$$libtorch"
endif

uninstall: ## what install put into PREFIX
	rm -rf "$(DESTDIR)$(PREFIX)/bin/persea" "$(DESTDIR)$(PREFIX)/lib/persea"

bench: ## speed, beside the peers that PERSEA_PEER_PYTHON and the test's Python have
	scripts/with_references.sh $(WITH_LIBTORCH) cargo bench $(FEATURES) --bench persea

# Library code answers a user's input and damaged files: it may not panic.
NO_PANIC := -D clippy::unwrap_used -D clippy::expect_used -D clippy::panic -D clippy::todo \
	-D clippy::unimplemented -D clippy::dbg_macro

lint: clippy deny ## formatting, clippy with and without libtorch, licences, what is committed
	cargo fmt --all --check
	scripts/check_tree.sh

clippy:
	$(WITH_LIBTORCH) cargo clippy --release $(FEATURES) --all-targets -- -D warnings
	$(WITH_LIBTORCH) cargo clippy --release $(FEATURES) --lib -- -D warnings $(NO_PANIC)
	cargo clippy --release --no-default-features --all-targets -- -D warnings

fmt: ## format the code
	cargo fmt --all

docs: ## the library's documentation and its crates', target/doc/persea
	RUSTDOCFLAGS="-D warnings" $(WITH_LIBTORCH) cargo doc --release --no-deps $(FEATURES)

deny: ## licences, sources and doubles of the dependencies
	scripts/cargo_deny.sh --locked check --hide-inclusion-graph bans licenses sources

python: ## the Python that tests check against (fetched once; prints its path)
	@scripts/python.sh

clean: ## what was built here; the cache stays
	cargo clean
	rm -rf "$(DEMO)"

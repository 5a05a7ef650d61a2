# Persea's commands; `make` alone lists them. GNU make 3.81 (macOS) is enough.
#
# Everything is built in the release profile: the dependencies, of which torch-sys takes minutes, are
# built once for the program, the tests and the checks.

PREFIX ?= $(HOME)/.local
DEMO ?= persea-demo
TORCH ?= 1
TESTS ?=

# TORCH=0 builds without training, and with no libtorch anywhere.
ifeq ($(TORCH),0)
FEATURES := --no-default-features
WITH_LIBTORCH :=
else
FEATURES :=
WITH_LIBTORCH := scripts/with_libtorch.sh
endif

.DEFAULT_GOAL := help
.PHONY: help demo test build install uninstall bench lint clippy fmt docs deny python clean

help: ## this list
	@echo "Persea: an embedded database of the epigenome's learned representation"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  TORCH=0 leaves training and libtorch out; PREFIX=DIR says where to install;"
	@echo "  DEMO=DIR where the demo writes; TESTS='--lib genome::' which tests to run."
	@echo "  LIBTORCH=DIR uses a libtorch of your own (CUDA), PERSEA_CACHE=DIR another cache."

demo: build ## simulate a compendium, train, impute what nobody ran, and score it (3 minutes)
	$(WITH_LIBTORCH) cargo run --release $(FEATURES) --quiet -- demo --output "$(DEMO)"

test: ## all tests
	scripts/with_references.sh $(WITH_LIBTORCH) cargo test --release $(FEATURES) $(TESTS)

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
	cargo fmt --check
	scripts/check_tree.sh

clippy:
	$(WITH_LIBTORCH) cargo clippy --release $(FEATURES) --all-targets -- -D warnings
	$(WITH_LIBTORCH) cargo clippy --release $(FEATURES) --lib -- -D warnings $(NO_PANIC)
	cargo clippy --release --no-default-features --all-targets -- -D warnings

fmt: ## format the code
	cargo fmt

docs: ## the library's documentation, target/doc/persea
	RUSTDOCFLAGS="-D warnings" $(WITH_LIBTORCH) cargo doc --release --no-deps $(FEATURES)

deny: ## licences, sources and doubles of the dependencies
	scripts/cargo_deny.sh --locked check --hide-inclusion-graph bans licenses sources

python: ## the Python that tests check against (fetched once; prints its path)
	@scripts/python.sh

clean: ## what was built here; the cache stays
	cargo clean
	rm -rf "$(DEMO)"

# image-sharer: build, run, test. `make help` lists the targets.

CARGO   ?= cargo
# The release binaries are static; that needs the target named, or procedural macros break.
HOST    := $(shell rustc -vV | sed -n 's/^host: //p')
DIST    := target/dist
TOOLS   := target/tools
PROGRAMS = image-sharer image-server image-worker
CARGO_DENY = 0.20.2

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: ## Share images from this machine: server, worker, store and queue in one, on 127.0.0.1:8080
	$(CARGO) run --locked --profile quick --bin image-sharer

.PHONY: test
test: ## Run all tests (needs Rust, make and Python 3)
	$(CARGO) test --locked --all-targets

.PHONY: build
build: ## Build the static programs into target/dist/
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --locked --release --target $(HOST) $(PROGRAMS:%=--bin %)
	@mkdir -p $(DIST)
	@for program in $(PROGRAMS); do cp target/$(HOST)/release/$$program $(DIST)/; done
	@ls -l $(DIST) | awk 'NR > 1 { printf "%-14s %5.2f MB\n", $$9, $$5 / 1e6 }'

.PHONY: lint
lint: ## Format, clippy and rustdoc, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items

.PHONY: audit
audit: $(TOOLS)/bin/cargo-deny ## Check the dependencies: licences, bans, sources, advisories
	$(CARGO) fetch --locked
	$(TOOLS)/bin/cargo-deny --all-features --locked check licenses bans sources
	@if $(TOOLS)/bin/cargo-deny fetch db > $(TOOLS)/advisories.log 2>&1; \
	then $(TOOLS)/bin/cargo-deny --all-features --locked check --disable-fetch advisories; \
	else echo "advisories: NOT CHECKED: their database could not be fetched ($(TOOLS)/advisories.log)"; fi

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --locked --root $(TOOLS) cargo-deny@$(CARGO_DENY)

BENCH := target/bench
PEERS := target/peers/release/peers
BENCHMARK = $(PEERS) bench --tools $(BENCH) --worker target/release/image-worker --out $(BENCH)

.PHONY: bench
bench: bench-setup ## Measure against sharp, Pillow and fast_image_resize (IMAGES=folder of your own; needs npm)
	$(BENCHMARK) --images "$(IMAGES)"

.PHONY: bench-quick
bench-quick: bench-setup ## The same with few rounds and small pictures
	$(BENCHMARK) --set quick --images "$(IMAGES)"

.PHONY: bench-setup
bench-setup: $(BENCH)/sharp/.done $(BENCH)/pillow/.done
	$(CARGO) build --locked --release --bin image-worker
	$(CARGO) build --locked --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers

$(BENCH)/sharp/.done: benches/peers/setup/package.json benches/peers/setup/package-lock.json
	@mkdir -p $(@D)
	cp $^ $(@D)/
	cd $(@D) && npm ci --no-audit --no-fund
	@touch $@

$(BENCH)/pillow/.done: benches/peers/setup/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: clean
clean: ## Remove all that was built
	$(CARGO) clean

# SPDX-License-Identifier: MIT
# Names for the everyday commands. Each does the set-up that it needs first.
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
ARCH ?= x86_64
TRACES ?= $(sort $(wildcard traces/*.kmt.zst))

# What `make boot` boots: two nodes with memory above 4 GiB, and memory above the direct map.
QEMU_x86_64 := -m 5G -smp 2 \
	-object memory-backend-ram,id=m0,size=4G -numa node,nodeid=0,memdev=m0,cpus=0 \
	-object memory-backend-ram,id=m1,size=1G -numa node,nodeid=1,memdev=m1,cpus=1 \
	-numa dist,src=0,dst=1,val=20
QEMU_i386 := -m 2G -smp 2
# The kernel's command line (README).
APPEND ?=

# Each is built, and the tests of all run in one run of CTest. What fails fastest is built first.
TEST_PRESETS := x86_64 i386 debug release-test asan tsan

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: built-release ## replay the bundled traces, show each, then the engines side by side
	build/release/bin/quarry replay $(TRACES)
	build/release/bin/quarry replay $(TRACES) --engine all

compare: built-release ## measure slab engines, and kmalloc, kzalloc, vmalloc, side by side
	build/release/bin/quarry compare $(TRACES)

test: build/CTestTestfile.cmake $(TEST_PRESETS:%=built-%) ## build and run every test
	ctest --test-dir build --output-on-failure --parallel $(JOBS)

build: built-release ## library and tool, optimised, in build/release

bench: built-bench ## measure against other allocators and print the ratios
	cmake --build build/bench --target run_bench

lint: build/.setup-lint build/debug/build.ninja ## formatting, clang-tidy, rooms, globals, sizes
	cmake --build build/debug --parallel $(JOBS) --target quarry_core
	tests/lint/all build/debug

install: built-release ## install library, headers, package files and tool under PREFIX
	cmake --install build/release --prefix $(abspath $(PREFIX))

boot: built-$(ARCH) ## boot a bare machine in QEMU and show what it does: ARCH=x86_64 or i386
	tests/boot/run --append "$(APPEND)" build/$(ARCH)/bin/quarry-kernel.elf $(QEMU_$(ARCH))

boot-bench: built-x86_64 built-i386 ## count the instructions of each operation on bare machines
	bench/bare/run.py --json build/boot-bench.json \
	  x86_64=build/x86_64/bin/quarry-bench.elf i386=build/i386/bin/quarry-bench.elf

# A stamp keeps a second run from asking the package system again.
build/.setup-%: .ci/packages.txt .ci/setup
	@mkdir -p build
	.ci/setup $*
	@touch $@

build/CTestTestfile.cmake: Makefile
	@mkdir -p build
	@printf 'subdirs(%s)\n' $(TEST_PRESETS) > $@

# Stamps are kept although rules only pass through them.
.PRECIOUS: build/.setup-% build/%/build.ninja

# A build folder follows its preset; everything else CMake watches itself.
build/%/build.ninja: CMakePresets.json | build/.setup-build
	cmake --preset $*
	@touch $@
BARE_PRESETS := x86_64 i386
$(BARE_PRESETS:%=build/%/build.ninja): | build/.setup-boot
$(patsubst %,build/%/build.ninja,$(filter-out $(BARE_PRESETS),$(TEST_PRESETS))): | build/.setup-test
build/bench/build.ninja: | build/.setup-bench

# Always asked: what is out of date is for the build tool to say.
BUILT := $(TEST_PRESETS:%=built-%) built-release built-bench
$(BUILT): built-%: build/%/build.ninja
	cmake --build build/$* --parallel $(JOBS)

.PHONY: help run compare test build bench lint install boot boot-bench $(BUILT)

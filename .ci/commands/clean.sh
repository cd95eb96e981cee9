# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run clean`

rm -rf build build-clang build-asan build-fuzz build-install build-bench out

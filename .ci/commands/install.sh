# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# `./run install [PREFIX]`: a release build of its own, so that what is installed does not depend on other builds.
# Warnings do not stop it: another compiler has others, and `./run test` is where they are errors.

prefix=${1:-/usr/local}
case $prefix in
/*) ;;
*) fail "the prefix must be an absolute path, not '$prefix'" ;;
esac
# shellcheck disable=SC2086 # the list is words
packages_need $packages_build
say "Building ..."
install_build() {
    if [ -f build-install/build.ninja ]; then
        meson configure build-install --prefix "$prefix"
    else
        meson setup build-install --prefix "$prefix" --buildtype release -Dwerror=false
    fi
    ninja -C build-install
}
quietly "the build" out/install.log install_build
# With DESTDIR, or where we may write already, no other rights are needed.
install_parent=$prefix
while [ ! -d "$install_parent" ]; do
    install_parent=$(dirname "$install_parent")
done
if [ -n "${DESTDIR:-}" ] || [ -w "$install_parent" ]; then
    meson install -C build-install --no-rebuild
else
    root_need "writing to $prefix"
    as_root meson install -C build-install --no-rebuild
fi

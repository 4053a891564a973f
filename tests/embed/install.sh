#!/bin/sh
# Installs the build into a folder of its own and builds a small program against what was installed: once with
# pkg-config, once with CMake's find_package, once as C++ (the header only). Then the tree is moved: it must
# still work. Environment: SRC, BUILD, CC.
set -e
# In the scratch folder where the test runs.
work=$(mktemp -d "$PWD/embed.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() {
    echo "FAIL: $*"
    exit 1
}

cmake --install "$BUILD" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/tree"
tree=$work/tree

header=$tree/include/netstack.h
[ -f "$header" ] || fail "no include/netstack.h"
[ "$(find "$tree/include" -type f | wc -l)" -eq 1 ] || fail "more than one header: $(find "$tree/include")"
[ -f "$tree/share/man/man1/netstack.1" ] || fail "no man page"
library=$(find "$tree" -name libnetcore.a)
[ -f "$library" ] || fail "no libnetcore.a"
if [ -x "$BUILD/netstack" ]; then
    "$tree/bin/netstack" --version | grep -q '^netstack 0\.1\.0' || fail "bin/netstack --version"
fi

echo "pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$tree" -name netstack.pc)")
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion netstack)" = 0.1.0 ] || fail "version in netstack.pc"
# shellcheck disable=SC2046  # a list of flags
"$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror "$SRC/tests/embed/ping.c" -o "$work/ping-pc" \
    $(pkg-config --cflags --libs netstack)
"$work/ping-pc" | tee "$work/answer"
[ "$(wc -l <"$work/answer")" -eq 1 ] || fail "not one answer"

echo "find_package"
CC=$CC cmake -S "$SRC/tests/embed" -B "$work/cm" -DCMAKE_PREFIX_PATH="$tree" >"$work/cmake.log" ||
    { cat "$work/cmake.log"; fail "cmake"; }
cmake --build "$work/cm" >"$work/make.log" || { cat "$work/make.log"; fail "build"; }
"$work/cm/ping" >"$work/answer2"
cmp "$work/answer" "$work/answer2" || fail "the two programs disagree"

if command -v c++ >/dev/null; then
    echo "c++"
    printf '#include <netstack.h>\nint main() { nst_config c; return nst_config_fit(&c, 4 << 20); }\n' \
        >"$work/x.cc"
    # shellcheck disable=SC2046
    c++ -std=c++17 -Wall -Wextra -Werror "$work/x.cc" -o "$work/x" $(pkg-config --cflags --libs netstack)
    "$work/x"
fi
echo "ok"

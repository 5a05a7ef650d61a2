#!/usr/bin/env bash
# One numeric core: what may be defined once is defined once, in the file named here. Prints every count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

# once WHAT PATTERN FILE: the lines of src that match PATTERN, tests' own apart, are one, in FILE.
once() {
    local found n
    found=$(grep -rnE "$2" --include='*.rs' src | grep -v '/tests\.rs:' || true)
    n=$(printf '%s' "$found" | grep -c . || true)
    printf '%-52s %s\n' "$1" "$n"
    if [ "$n" -ne 1 ] || [ "${found%%:*}" != "$3" ]; then
        printf 'expected once, in %s; found:\n%s\n' "$3" "$found" >&2
        failed=1
    fi
}

# Native side. What a matrix product is made of, and who may call the library that makes it.
once "calls of the gemm crate" 'gemm::gemm\(' src/nn/product.rs
once "dense layer forward" 'fn forward\($' src/nn/native/dense.rs
once "dense layer backward" 'fn backward\($' src/nn/native/dense.rs
once "Adam's update of values by a gradient" '\.sqrt\(\) \+ epsilon' src/nn/adam.rs
once "gradient through a ReLU" 'fn through_relu\(' src/nn/native/dense.rs
once "squared error and its gradient" '2\.0 / .*n_batch' src/nn/native/head.rs
once "forward with frozen, packed weights" 'fn activate\(&self, below' src/nn/packed.rs
once "learning rate's cosine" 'consts::PI \* done' src/nn/adam.rs

for gone in model/{forward,panels,packed,single_layer,product} \
    factorization/{network,first_layer,single_layer,deep_layers,tensors,vectors,adam,arithmetic} \
    factorization/refinement/{by_hand,network,learner}; do
    if [ -e "src/$gone.rs" ]; then
        echo "src/$gone.rs: its work is src/nn's" >&2
        failed=1
    fi
done

# The library leaves its host alone; libtorch is behind the seam.
for refused in 'mallopt' 'set_hook' 'set_num_threads'; do
    if grep -rn "$refused" --include='*.rs' src crates | grep -vE '^(src/cli|crates/torch|crates/python)/' >&2; then
        echo "the library may not call $refused: the program may, in src/cli, and the extension of Python that holds it, in crates/python" >&2
        failed=1
    fi
done
if grep -rnE '\btch::' --include='*.rs' src >&2; then
    echo "libtorch is behind src/nn/seam.rs, in a library of its own" >&2
    failed=1
fi
if grep -rn 'feature = "torch"' --include='*.rs' src tests benches examples | grep -v '^src/nn/torch' >&2; then
    echo "the feature torch belongs to the loader in src/nn/torch alone" >&2
    failed=1
fi
exit $failed

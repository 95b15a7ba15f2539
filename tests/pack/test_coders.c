/* Plain bits, Huffman codes against brute force, the range coder against its
 * information content. */
#include "support.h"

#include "pack/coder.h"
#include "pack/density.h"
#include "pack/huffman.h"
#include "pack/positions.h"

static void bits_come_back(void **state) {
    (void)state;
    base_random random = base_random_at(1, 0, 0);
    bits_writer w = {0};
    for (unsigned i = 0; i < 2000; i++)
        bits_write(&w, (uint32_t)base_random_next(&random), i % 33);
    assert_int_equal(w.bytes.count, (w.count + 7) / 8);
    bits_reader r = {.bytes = w.bytes.bytes, .count = w.count};
    random = base_random_at(1, 0, 0);
    for (unsigned i = 0; i < 2000; i++) {
        uint32_t value = (uint32_t)base_random_next(&random);
        unsigned width = i % 33;
        assert_int_equal(bits_read(&r, width),
                         width == 32 ? value : value & ((UINT32_C(1) << width) - 1));
    }
    assert_false(r.failed);
    bits_read(&r, 1);
    assert_true(r.failed);
    base_writer_free(&w.bytes);
}

/* ---- Huffman ---- */

/* The least total length of any prefix code, by trying every set of lengths that
 * satisfies Kraft's inequality. */
static uint64_t least_total(const uint64_t *counts, unsigned symbols, unsigned at, unsigned left) {
    enum { DEPTH = 7 };
    if (at == symbols)
        return 0;
    if (counts[at] == 0)
        return least_total(counts, symbols, at + 1, left);
    uint64_t best = UINT64_MAX / 2;
    for (unsigned length = 1; length <= DEPTH; length++) {
        unsigned share = 1U << (DEPTH - length);
        if (share > left)
            continue;
        uint64_t total = counts[at] * length + least_total(counts, symbols, at + 1, left - share);
        best = total < best ? total : best;
    }
    return best;
}

static void huffman_is_as_short_as_can_be(void **state) {
    (void)state;
    base_random random = base_random_at(2, 0, 0);
    for (int trial = 0; trial < 300; trial++) {
        uint64_t counts[7];
        unsigned symbols = 1 + base_random_below(&random, 7);
        for (unsigned s = 0; s < symbols; s++)
            counts[s] = base_random_below(&random, 1U << base_random_below(&random, 9));
        huffman h;
        huffman_build(&h, counts, symbols);
        uint64_t total = 0;
        for (unsigned s = 0; s < symbols; s++) {
            assert_int_equal(h.lengths[s] == 0, counts[s] == 0);
            total += counts[s] * h.lengths[s];
        }
        assert_int_equal(total, least_total(counts, symbols, 0, 1U << 7));
    }
}

static void huffman_symbols_come_back(void **state) {
    (void)state;
    static const unsigned sizes[] = {1, 2, 3, 16, 255, 512};
    base_random random = base_random_at(3, 0, 0);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint64_t counts[HUFFMAN_SYMBOLS_MAX];
        for (unsigned s = 0; s < sizes[k]; s++)
            counts[s] = 1 + base_random_below(&random, 1U << base_random_below(&random, 20));
        huffman h;
        huffman_build(&h, counts, sizes[k]);
        bits_writer w = {0};
        for (unsigned s = 0; s < sizes[k]; s++)
            huffman_write(&h, &w, s);
        bits_reader r = {.bytes = w.bytes.bytes, .count = w.count};
        for (unsigned s = 0; s < sizes[k]; s++)
            assert_int_equal(huffman_read(&h, &r), s);
        assert_int_equal(huffman_read(&h, &r), HUFFMAN_SYMBOLS_MAX);
        base_writer_free(&w.bytes);
    }
}

/* Fibonacci's counts make the deepest trees: 24 symbols would need 23 bits. */
static void deep_trees_are_cut(void **state) {
    (void)state;
    uint64_t counts[24] = {1, 1};
    for (unsigned s = 2; s < 24; s++)
        counts[s] = counts[s - 1] + counts[s - 2];
    huffman h;
    huffman_build(&h, counts, 24);
    double kraft = 0.0;
    for (unsigned s = 0; s < 24; s++) {
        assert_in_range(h.lengths[s], 1, HUFFMAN_LENGTH_MAX);
        kraft += ldexp(1.0, -(int)h.lengths[s]);
    }
    assert_true(kraft <= 1.0);
}

static void lengths_that_make_no_code(void **state) {
    (void)state;
    huffman h = {.symbols = 3, .lengths = {1, 1, 1}};
    assert_false(huffman_from_lengths(&h));
    h = (huffman){.symbols = 4, .lengths = {1, 2, 2, 15}};
    assert_false(huffman_from_lengths(&h));
    h = (huffman){.symbols = 3, .lengths = {1, 2, 2}};
    assert_true(huffman_from_lengths(&h));
}

/* ---- the range coder ---- */

static void coded_bits_cost_their_information(void **state) {
    (void)state;
    static const double ones[] = {0.0005, 0.02, 0.3, 0.5, 0.9, 0.9995};
    for (size_t k = 0; k < sizeof ones / sizeof ones[0]; k++) {
        enum { COUNT = 20000 };
        base_random random = base_random_at(4, k, 0);
        base_writer out = {0};
        coder c;
        coder_encode_start(&c, &out);
        uint32_t probability = (uint32_t)(ones[k] * CODER_ONE);
        double information = 0.0;
        for (int i = 0; i < COUNT; i++) {
            unsigned bit = (double)base_random_uniform(&random) < ones[k];
            double p = (double)probability / CODER_ONE;
            information -= log2(bit != 0 ? p : 1.0 - p);
            coder_bit(&c, bit, probability);
        }
        coder_encode_end(&c);
        assert_true(8.0 * (double)out.count < information * 1.002 + 32.0);
        assert_true(8.0 * (double)out.count > information * 0.999 - 8.0);
        assert_true(fabs((double)coder_bits(&c) - information) < 0.002 * information + 8.0);
        base_reader in = {.bytes = out.bytes, .count = out.count};
        random = base_random_at(4, k, 0);
        coder_decode_start(&c, &in);
        for (int i = 0; i < COUNT; i++) {
            unsigned bit = (double)base_random_uniform(&random) < ones[k];
            assert_int_equal(coder_bit(&c, 0, probability), bit);
        }
        assert_false(coder_failed(&c));
        assert_true(coder_is_whole(&c, out.bytes, out.count));
        assert_false(coder_is_whole(&c, out.bytes, out.count - 1));
        base_writer_free(&out);
    }
}

static void squash_is_the_logistic_function(void **state) {
    (void)state;
    uint32_t last = 0;
    for (int32_t logit = -PACK_LOGIT_MOST - 9; logit <= PACK_LOGIT_MOST + 9; logit++) {
        uint32_t p = coder_squash(logit);
        assert_true(p >= last && p > 0 && p < CODER_ONE);
        last = p;
        if (logit < -PACK_LOGIT_MOST || logit > PACK_LOGIT_MOST)
            continue;
        double exact = 65536.0 / (1.0 + exp(-logit / 256.0));
        assert_true(fabs((double)p - exact) < 0.01 * fmin(exact, 65536.0 - exact) + 1.0);
    }
}

/* A bit with one effect of vague prior: what is learnt is the rate. */
static void effects_learn_the_rate(void **state) {
    (void)state;
    static const double ones[] = {0.001, 0.07, 0.5, 0.97};
    for (size_t k = 0; k < 4; k++) {
        enum { COUNT = 20000 };
        base_writer out = {0};
        coder c;
        coder_encode_start(&c, &out);
        density_effect effect = {0, 16 * DENSITY_UNIT};
        density_effect *effects[1] = {&effect};
        base_random random = base_random_at(5, k, 0);
        size_t seen = 0;
        for (int i = 0; i < COUNT; i++) {
            unsigned bit = (double)base_random_uniform(&random) < ones[k];
            density_code(&c, effects, 1, bit);
            seen += bit;
        }
        coder_encode_end(&c);
        double rate = (double)seen / COUNT;
        double entropy = -COUNT * (rate * log2(rate) + (1.0 - rate) * log2(1.0 - rate));
        assert_true(8.0 * (double)out.count < entropy * 1.01 + 64.0);
        assert_true(fabs(1.0 / (1.0 + exp(-(double)effect.mean / DENSITY_UNIT)) - rate) < 0.01);
        assert_true(effect.variance > 0 && effect.variance < DENSITY_UNIT);
        base_writer_free(&out);
    }
}

static void nonsense_ends_the_decoding(void **state) {
    (void)state;
    base_reader in = {.count = 0};
    coder c;
    coder_decode_start(&c, &in);
    assert_false(coder_failed(&c));
    for (int i = 0; i < 16; i++)
        coder_bit(&c, 0, CODER_ONE / 2);
    assert_true(coder_failed(&c));
}

/* ---- positions ---- */

static size_t coded_positions(positions_shape shape, uint8_t *mask) {
    base_writer out = {0};
    coder c;
    coder_encode_start(&c, &out);
    MUST(positions_code(&c, shape, mask, err));
    coder_encode_end(&c);
    uint8_t *back = base_array(shape.rows * shape.columns, 1);
    base_reader in = {.bytes = out.bytes, .count = out.count};
    coder_decode_start(&c, &in);
    MUST(positions_code(&c, shape, back, err));
    assert_memory_equal(mask, back, shape.rows * shape.columns);
    size_t bits = 8 * out.count;
    base_free(back);
    base_writer_free(&out);
    return bits;
}

static double entropy_of(double p) {
    return p <= 0.0 || p >= 1.0 ? 0.0 : -(p * log2(p) + (1.0 - p) * log2(1.0 - p));
}

/* Without structure nothing beats the entropy, and learning costs little. */
static void even_positions_cost_their_entropy(void **state) {
    (void)state;
    static const double densities[] = {0.003, 0.02, 0.1, 0.4};
    const positions_shape shape = {100, 400, 1, 1, false};
    for (size_t d = 0; d < 4; d++) {
        uint8_t *mask = base_array(shape.rows * shape.columns, 1);
        base_random random = base_random_at(6, d, 0);
        size_t kept = 0;
        for (size_t i = 0; i < shape.rows * shape.columns; i++)
            kept += mask[i] = (double)base_random_uniform(&random) < densities[d];
        double cells = (double)(shape.rows * shape.columns);
        double entropy = cells * entropy_of((double)kept / cells);
        double coded = (double)coded_positions(shape, mask);
        assert_true(coded < 1.025 * entropy + 50.0);
        base_free(mask);
    }
}

/* Rows and columns of very different density: close to what a model that knows
 * each cell's own probability would take. */
static void uneven_positions_cost_less(void **state) {
    (void)state;
    const positions_shape shape = {60, 480, 16, 4, false};
    uint8_t *mask = base_array(shape.rows * shape.columns, 1);
    double *column = base_array(shape.columns, sizeof *column);
    base_random random = base_random_at(7, 0, 0);
    for (size_t k = 0; k < shape.columns; k++)
        column[k] = exp(1.5 * (double)base_random_normal(&random));
    double oracle = 0.0;
    size_t kept = 0;
    for (size_t row = 0; row < shape.rows; row++)
        for (size_t k = 0; k < shape.columns; k++) {
            double p = fmin(0.9, 0.06 * exp(-(double)row / 20.0) * column[k]);
            unsigned bit = (double)base_random_uniform(&random) < p;
            mask[row * shape.columns + k] = (uint8_t)bit;
            oracle -= log2(bit != 0 ? p : 1.0 - p);
            kept += bit;
        }
    double cells = (double)(shape.rows * shape.columns);
    double even = cells * entropy_of((double)kept / cells);
    double coded = (double)coded_positions(shape, mask);
    assert_true(coded < 0.8 * even);
    assert_true(coded < 1.2 * oracle);
    base_free(mask);
    base_free(column);
}

/* Rows in the order of their first places save what the order of rows tells. */
static void ordered_rows_cost_less(void **state) {
    (void)state;
    enum { ROWS = 200, COLUMNS = 640, EACH = 3 };
    positions_shape shape = {ROWS, COLUMNS, 16, 4, false};
    uint8_t *mask = base_array((size_t)ROWS * COLUMNS, 1);
    uint8_t *sorted = base_array((size_t)ROWS * COLUMNS, 1);
    base_random random = base_random_at(8, 0, 0);
    for (size_t row = 0; row < ROWS; row++)
        for (int k = 0; k < EACH; k++)
            mask[row * COLUMNS + base_random_below(&random, COLUMNS)] = 1;
    size_t filled = 0;
    for (size_t first = 0; first < COLUMNS; first++)
        for (size_t row = 0; row < ROWS; row++)
            if (positions_first(mask + row * COLUMNS, COLUMNS) == first)
                memcpy(sorted + COLUMNS * filled++, mask + row * COLUMNS, COLUMNS);
    assert_int_equal(filled, ROWS);
    assert_true(positions_are_ordered(shape, sorted));
    assert_false(positions_are_ordered(shape, mask));
    double even = (double)coded_positions(shape, sorted);
    shape.ordered = true;
    double ordered = (double)coded_positions(shape, sorted);
    double orders = lgamma(ROWS + 1.0) / log(2.0);
    assert_true(even - ordered > 0.75 * orders && even - ordered < 1.1 * orders);
    base_free(mask);
    base_free(sorted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_come_back),
        cmocka_unit_test(huffman_is_as_short_as_can_be),
        cmocka_unit_test(huffman_symbols_come_back),
        cmocka_unit_test(deep_trees_are_cut),
        cmocka_unit_test(lengths_that_make_no_code),
        cmocka_unit_test(coded_bits_cost_their_information),
        cmocka_unit_test(squash_is_the_logistic_function),
        cmocka_unit_test(effects_learn_the_rate),
        cmocka_unit_test(nonsense_ends_the_decoding),
        cmocka_unit_test(even_positions_cost_their_entropy),
        cmocka_unit_test(uneven_positions_cost_less),
        cmocka_unit_test(ordered_rows_cost_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

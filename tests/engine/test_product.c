/* Products of matrices by oneDNN, beside the sums in double precision. */
#include "engine/product.h"

#include <math.h>

#include "drawn.h"

static double entry(engine_factor f, size_t rows, size_t columns, size_t i, size_t j) {
    return (double)f.values[f.turned ? j * rows + i : i * columns + j];
}

static void expect_product(size_t m, size_t n, size_t k, engine_factor a, engine_factor b,
                           bool add) {
    float *before = drawn(m * n, 3);
    float *c = base_array_copy(before, m * n, sizeof *c);
    assert_non_null(c);
    assert_int_equal(engine_product(m, n, k, a, b, add, c, NULL), ADMMNN_OK);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = add ? (double)before[i * n + j] : 0;
            for (size_t t = 0; t < k; t++)
                sum += entry(a, m, k, i, t) * entry(b, k, n, t, j);
            assert_true(fabs((double)c[i * n + j] - sum) < 1e-5 * (double)(k + 1));
        }
    base_free(before);
    base_free(c);
}

static void products_are_those_of_sums(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {64, 64, 9}, {17, 33, 100}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int way = 0; way < 8; way++) {
            const size_t m = sizes[s][0];
            const size_t n = sizes[s][1];
            const size_t k = sizes[s][2];
            float *a = drawn(m * k, 1);
            float *b = drawn(k * n, 2);
            expect_product(m, n, k, (engine_factor){a, (way & 1) != 0},
                           (engine_factor){b, (way & 2) != 0}, (way & 4) != 0);
            base_free(a);
            base_free(b);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

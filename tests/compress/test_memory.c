/* What a run asks of memory at least, by hand; and that it is refused for want of a byte. */
#include "runs.h"

/* Of each layer both factors, their eigenvalues and W0, and twice the largest layer; and of the
 * largest factor, in doubles, what its eigenvectors are found in. */
#define SIDES(rows, columns)                                                                       \
    ((rows) * (rows) + (rows) + (columns) * (columns) + (columns) + (rows) * (columns))
#define CURVATURE                                                                                  \
    (SIDES(300, SIDE * SIDE) + SIDES(100, 300) + SIDES(10, 100) + 2 * 300 * SIDE * SIDE +          \
     2 * (3 * 300 * 300 + 7 * 300 + 1))

/* Vectors of the stage that has most, the mask, and what the layers read of a batch; what is
 * a byte too much is refused with both figures. */
static void too_little_memory_is_told(void **state) {
    (void)state;
    const struct {
        const char *more;
        uint64_t vectors, batch, bytes; /* of a parameter, beside the vectors */
        uint64_t versions;              /* of the images, that the teacher answers */
    } cases[] = {
        /* parameters, gradient, two moments, dense, z, u, z - u, importance */
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  admm: {training: {batch: 40}}\n", 9, 64,
         1, 0},
        /* w + u, while there is z - u */
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  ramp: 0.5\n", 9, 64, 1, 0},
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  ramp: 0.5\n  admm: {updates: 2}\n", 10,
         64, 1, 0},
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  penalty: pruned\n", 9, 64, 2, 0},
        /* x, w + u, while there is z - u */
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  x_step: curvature\n"
         "  admm: {updates: 9}\n",
         11, 64, 1, 0},
        {"training: {batch: 16, optimizer: sgd}\n"
         "prune:\n  rounds: [2]\n  admm: {training: {batch: 40, optimizer: sgd}}\n",
         7, 64, 1, 0},
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n  admm: {training: {distill: 0.5}}\n", 9,
         64, 1, 1},
        {"training: {batch: 16}\nprune:\n  rounds: [2]\n"
         "  admm: {training: {distill: 0.5, versions: 3}}\n",
         9, 64, 1, 3},
        {"training: {batch: 16, average: 0.5}\nprune: {method: none}\n" NO_QUANTIZE, 5, 64, 1, 0},
        {"training: {batch: 16}\nprune: {method: none}\n"
         "quantize:\n  max_bits: 2\n  admm: {training: {batch: 200, optimizer: sgd}}\n",
         7, 200, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        recipe *r = make_recipe("lenet-300-100", cases[i].more);
        compress_run *run = start(r);
        admmnn_error err = {0};
        const uint64_t flat = run->g->flat_count;
        const uint64_t read = SIDE * SIDE + 300 + 100; /* by the three layers */
        const uint64_t answers = cases[i].versions * run->train.count * 10;
        const bool measured = strstr(cases[i].more, "x_step: curvature") != NULL;
        const uint64_t curvature = measured ? CURVATURE : 0;
        const uint64_t needed =
            4 * (cases[i].vectors * flat + cases[i].batch * read + answers + curvature) +
            cases[i].bytes * flat;
        assert_int_equal(run_least_memory(run), needed);
        assert_int_equal(run_check_memory(run, needed, &err), ADMMNN_OK);
        assert_int_equal(run_check_memory(run, needed - 1, &err), ADMMNN_MEMORY);
        char figures[64];
        snprintf(figures, sizeof figures, "at least %u MiB of memory; there are %u",
                 (unsigned)(needed >> 20), (unsigned)((needed - 1) >> 20));
        assert_non_null(strstr(err.message, figures));
        assert_non_null(strstr(err.message, "r.yaml: lenet-300-100 with "));
        assert_int_equal(strstr(err.message, " or the versions") != NULL, answers > 0);
        run_free(run);
        base_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_little_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}

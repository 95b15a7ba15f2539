/* The experiment on quadratics: its instances' optima, its choices, and that it says the
 * same whatever the number of threads. */
#include "support.h"

#include "admmq/bench.h"

static admmnn_quadratics_settings small(void) {
    admmnn_quadratics_settings s;
    admmnn_quadratics_defaults(&s);
    s.dimension = 5;
    s.instances = 3;
    s.starts = 7;
    s.iterations = 400;
    s.pgd_iterations = 400;
    s.spacing = 2;
    return s;
}

static double value_of(const quadratics_instance *p, size_t d, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < d; i++) {
        sum += p->b[i] * x[i];
        for (size_t j = 0; j < d; j++)
            sum += 0.5 * x[i] * p->q[i * d + j] * x[j];
    }
    return sum;
}

/* No point near the rounded minimum is below the optimum, which lies between the minimum
 * without levels and any of them. */
static void optima_are_optima(void **state) {
    (void)state;
    const admmnn_quadratics_settings s = small();
    for (uint32_t number = 0; number < 4; number++) {
        quadratics_instance p;
        MUST(quadratics_create(&s, number, NULL, &p, err));
        assert_true(p.proven);
        assert_true(p.continuous <= p.optimum && p.optimum <= p.rounded + 1e-9 && p.optimum <= 0);
        base_random random = base_random_at(number, 1, 1);
        for (int round = 0; round < 20000; round++) {
            double x[5];
            for (size_t i = 0; i < 5; i++)
                x[i] = s.spacing * ((double)base_random_below(&random, 41) - 20);
            assert_true(value_of(&p, 5, x) >= p.optimum - 1e-9);
        }
        quadratics_free(&p);
    }
}

static void run(unsigned threads, bench_table *table) {
    const admmnn_quadratics_settings s = small();
    const admmnn_context context = {.threads = threads};
    MUST(bench_table_run(&s, 0, &context, table, err));
}

static void the_grid_is_the_published_one(void **state) {
    (void)state;
    bench_setting grid[BENCH_SETTINGS];
    size_t counts[BENCH_METHODS] = {0};
    bench_fill_grid(grid);
    for (size_t s = 0; s < BENCH_SETTINGS; s++)
        counts[grid[s].method]++;
    assert_true(counts[ADMMNN_METHOD_ADMM_Q] == 9 && counts[ADMMNN_METHOD_ADMM_S] == 189 &&
                counts[ADMMNN_METHOD_ADMM_R] == 63 && counts[ADMMNN_METHOD_PGD] == 9 &&
                counts[ADMMNN_METHOD_GD_ROUND] == 9);
    assert_true(fabs(grid[9].rho_relative - 1e-6) < 1e-18 && fabs(grid[9].beta - 1e-5) < 1e-17);
}

static void threads_change_nothing(void **state) {
    (void)state;
    bench_setting grid[BENCH_SETTINGS];
    bench_fill_grid(grid);
    bench_table one = {.settings = grid, .setting_count = BENCH_SETTINGS};
    bench_table three = one;
    run(1, &one);
    run(3, &three);
    for (size_t c = 0; c < BENCH_SETTINGS * one.instance_count; c++) {
        assert_memory_equal(&one.cells[c], &three.cells[c], sizeof one.cells[c]);
        const double least = one.cells[c].value.least;
        const double optimum = one.instances[c % one.instance_count].optimum;
        assert_true(least >= optimum - 1e-6);
    }
    bench_pair pairs[BENCH_PAIRS];
    size_t best;
    MUST(bench_compare(&one, pairs, err));
    assert_true(pairs[0].test.above == 0); /* beta up to 1e5: ADMM-Q is one of ADMM-S */
    MUST(bench_best(&one, ADMMNN_METHOD_PGD, &best, err));
    assert_true(grid[best].method == ADMMNN_METHOD_PGD && grid[best].rho_relative >= 1);
    bench_table_free(&one);
    bench_table_free(&three);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optima_are_optima),
        cmocka_unit_test(the_grid_is_the_published_one),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

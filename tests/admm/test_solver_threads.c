/* Solvers in two threads at once, each with its own: the bytes of one that is alone. */
#include "support.h"

#include <pthread.h>

#include "admmnn/solver.h"
#include "must.h"
#include "quadratic.h"

#define D 12
#define RUNS 20

static const admmnn_method methods[] = {ADMMNN_METHOD_ADMM_Q, ADMMNN_METHOD_ADMM_S,
                                        ADMMNN_METHOD_ADMM_R, ADMMNN_METHOD_PGD,
                                        ADMMNN_METHOD_ROUND,  ADMMNN_METHOD_EXACT};
#define METHODS (sizeof methods / sizeof methods[0])

typedef struct answer {
    double x[D], objective, primal;
    uint64_t iterations;
} answer;

/* What the threads share is read alone. */
typedef struct shared {
    double q[D * D], b[D], starts[RUNS][D];
} shared;

typedef struct worker {
    const shared *problem;
    admmnn_method method;
    answer answers[RUNS];
    admmnn_status status;
} worker;

static shared make(void) {
    shared s;
    base_random random = base_random_at(1, 0, 0);
    double g[D * D];
    quadratic_draw(&random, D, g, s.q, s.b);
    for (size_t r = 0; r < RUNS; r++)
        for (size_t i = 0; i < D; i++)
            s.starts[r][i] = 10 * (double)base_random_normal(&random);
    return s;
}

static admmnn_status solve_all(worker *w) {
    const admmnn_matrix q = {.dense = w->problem->q};
    const admmnn_problem problem = {.dimension = D, .q = &q, .b = w->problem->b, .set = "grid:2"};
    admmnn_solver_settings settings;
    admmnn_solver *solver;
    admmnn_status status = ADMMNN_OK;
    admmnn_solver_defaults(w->method, &settings);
    settings.iterations = 500;
    BASE_TRY(admmnn_solver_create(&problem, &settings, NULL, &solver, NULL));
    for (size_t r = 0; r < RUNS && status == ADMMNN_OK; r++) {
        admmnn_solver_info info;
        answer *a = &w->answers[r];
        status = admmnn_solver_solve(solver, w->problem->starts[r], r, NULL, a->x, &info, NULL);
        a->objective = info.objective;
        a->primal = info.primal;
        a->iterations = info.iterations;
    }
    admmnn_solver_free(solver);
    return status;
}

static void *work(void *argument) {
    worker *w = argument;
    w->status = solve_all(w);
    return NULL;
}

static void solvers_at_once_answer_as_alone(void **state) {
    (void)state;
    const shared problem = make();
    for (size_t m = 0; m < METHODS; m++) {
        pthread_t threads[2];
        worker alone = {.problem = &problem, .method = methods[m]};
        worker at_once[2] = {alone, alone};
        work(&alone);
        assert_int_equal(alone.status, ADMMNN_OK);
        for (size_t t = 0; t < 2; t++)
            assert_int_equal(pthread_create(&threads[t], NULL, work, &at_once[t]), 0);
        for (size_t t = 0; t < 2; t++)
            pthread_join(threads[t], NULL);
        for (size_t t = 0; t < 2; t++) {
            assert_int_equal(at_once[t].status, ADMMNN_OK);
            assert_memory_equal(at_once[t].answers, alone.answers, sizeof alone.answers);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(solvers_at_once_answer_as_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

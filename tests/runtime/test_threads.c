/* One model run by many threads at once, each with a workspace of its own, gives what it gives
 * one. */
#include <pthread.h>

#include "support.h"

#define THREADS 8
#define ROUNDS 20

typedef struct runner {
    const admmnn_runtime *model;
    const float *input; /* [SAMPLES] */
    float *output;
    size_t outputs;
    bool same; /* every time */
} runner;

static void *run(void *argument) {
    runner *r = argument;
    float *again = malloc(SAMPLES * r->outputs * sizeof *again);
    assert_non_null(again);
    runtime_run(r->model, r->input, SAMPLES, r->output);
    r->same = true;
    for (int i = 0; i < ROUNDS; i++) {
        runtime_run(r->model, r->input, SAMPLES, again);
        r->same &= memcmp(again, r->output, SAMPLES * r->outputs * sizeof *again) == 0;
    }
    free(again);
    return NULL;
}

static void many_threads_give_the_bytes_of_one(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.3};
    pack_model *packed = random_model(any_network(), f, 1);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(SAMPLES * graph_value_count(packed->g, packed->g->input), 2);
    const size_t outputs = graph_value_count(packed->g, packed->g->output);
    runner runners[THREADS];
    pthread_t threads[THREADS];
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    for (int t = 0; t < THREADS; t++) {
        runners[t] = (runner){model, input, malloc(SAMPLES * outputs * sizeof(float)), outputs, 0};
        assert_non_null(runners[t].output);
    }
    run(&runners[0]);
    for (int t = 1; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, run, &runners[t]), 0);
    for (int t = 1; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++) {
        assert_true(runners[t].same);
        assert_memory_equal(runners[t].output, runners[0].output,
                            SAMPLES * outputs * sizeof(float));
    }
    for (int t = 0; t < THREADS; t++)
        free(runners[t].output);
    admmnn_runtime_close(model);
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_give_the_bytes_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

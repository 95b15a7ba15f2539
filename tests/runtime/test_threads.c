/* One model run by many threads at once, each with a workspace of its own, gives what it gives
 * one; and so does one whose layers are shared by threads of its own. The program is linked so that
 * it sees the library's calls of pthread_create. */
#include <errno.h>
#include <fenv.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "instrumented.h"
#include "support.h"

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

static unsigned created, refused_from = UINT_MAX; /* threads; the first that is not */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument) {
    if (created >= refused_from)
        return EAGAIN;
    created++;
    return __real_pthread_create(thread, attributes, start, argument);
}

#define THREADS 8

/* Races show to a sanitizer without repetition. */
static int rounds(void) {
    return (int)instrumented_or(2, 20);
}

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
    for (int i = 0; i < rounds(); i++) {
        runtime_run(r->model, r->input, SAMPLES, again);
        r->same &= memcmp(again, r->output, SAMPLES * r->outputs * sizeof *again) == 0;
    }
    free(again);
    return NULL;
}

static void expect_callers(const admmnn_runtime *model, const float *input, size_t outputs) {
    runner runners[THREADS];
    pthread_t threads[THREADS];
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
}

static void many_threads_give_the_bytes_of_one(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.3};
    pack_model *packed = random_model(any_network(), f, 1);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(SAMPLES * graph_value_count(packed->g, packed->g->input), 2);
    const size_t outputs = graph_value_count(packed->g, packed->g->output);
    admmnn_runtime *model;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, NULL, &model, err));
    expect_callers(model, input, outputs);
    admmnn_runtime_close(model);
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

/* ---- threads of the model's own ---- */

/* Layers that are worth threads: of several tiles down and across, of one, in groups, an inner
 * product. */
static graph *wide_network(void) {
    graph *g;
    uint32_t v;
    graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    MUST(graph_create("wide", graph_shape_image(2, 40, 260), &g, err));
    MUST(graph_add_conv(g, "conv0", g->input, 6, conv, &v, err)); /* it pools */
    MUST(graph_add_maxpool(g, "pool0", v, graph_pool_of(graph_window_of(2, 2, 0)), &v, err));
    MUST(graph_add_conv(g, "conv1", v, 24, conv, &v, err));
    conv.window = graph_window_of(3, 3, 1);
    conv.groups = 2;
    MUST(graph_add_conv(g, "conv2", v, 30, conv, &v, err));
    MUST(graph_add_maxpool(g, "pool1", v, graph_pool_of(graph_window_of(7, 7, 3)), &v, err));
    MUST(graph_add_conv(g, "conv3", v, 301, graph_conv_of(graph_window_of(3, 1, 1)), &v, err));
    MUST(graph_add_inner_product(g, "fc1", v, 150, true, &v, err));
    return g;
}

static admmnn_runtime *open_with(bytes file, int way, unsigned threads) {
    admmnn_runtime_settings settings = runtime_way(way);
    admmnn_runtime *model;
    admmnn_runtime_info info;
    settings.threads = threads;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    admmnn_runtime_get_info(model, &info);
    assert_int_equal(info.threads, threads);
    return model;
}

/* The model is freed. */
static void expect_threads_alike(pack_model *packed) {
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(SAMPLES * graph_value_count(packed->g, packed->g->input), 4);
    const size_t outputs = graph_value_count(packed->g, packed->g->output);
    float *expected = base_array(SAMPLES * outputs, sizeof *expected);
    float *output = base_array(SAMPLES * outputs, sizeof *output);
    for (int way = 0; way < RUNTIME_WAYS; way++) {
        for (unsigned threads = 1; threads <= instrumented_or(3, 5);
             threads += instrumented_or(2, 1)) {
            admmnn_runtime *model = open_with(file, way, threads);
            for (int round = 0; round < (threads == 1 ? 1 : rounds()); round++) {
                runtime_run(model, input, SAMPLES, threads == 1 ? expected : output);
                if (threads > 1)
                    assert_memory_equal(output, expected, SAMPLES * outputs * sizeof *output);
            }
            admmnn_runtime_close(model);
        }
    }
    base_free(input);
    base_free(expected);
    base_free(output);
    base_free(file.at);
    pack_model_free(packed);
}

static void any_number_of_threads_gives_the_same_bytes(void **state) {
    (void)state;
    pack_model *packed = random_model(wide_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 3);
    share_places(&packed->tensors[2], 24, 54, 54, 1);
    expect_threads_alike(packed);
}

/* So many of them that they are worth threads. */
static void short_rows_are_shared_too(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.25};
    expect_threads_alike(random_model(one_product(60, 7013), f, 5));
}

/* They were started by a thread that rounds to the nearest. */
static void threads_round_as_the_caller_does(void **state) {
    (void)state;
    pack_model *packed = random_model(wide_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 3);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(SAMPLES * graph_value_count(packed->g, packed->g->input), 4);
    const size_t count = SAMPLES * graph_value_count(packed->g, packed->g->output);
    float *nearest = base_array(count, sizeof *nearest);
    float *expected = base_array(count, sizeof *expected);
    float *output = base_array(count, sizeof *output);
    admmnn_runtime *alone = open_with(file, 0, 1);
    admmnn_runtime *together = open_with(file, 0, 4);
    runtime_run(alone, input, SAMPLES, nearest);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    runtime_run(alone, input, SAMPLES, expected);
    bool same = true;
    for (int round = 0; round < rounds(); round++) {
        runtime_run(together, input, SAMPLES, output);
        same &= memcmp(output, expected, count * sizeof *output) == 0;
    }
    assert_int_equal(fesetround(FE_TONEAREST), 0);
    assert_true(same);
    assert_memory_not_equal(expected, nearest, count * sizeof *output);
    runtime_run(together, input, SAMPLES, output);
    assert_memory_equal(output, nearest, count * sizeof *output);
    admmnn_runtime_close(alone);
    admmnn_runtime_close(together);
    base_free(nearest);
    base_free(expected);
    base_free(output);
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

/* Callers meet at the model's threads: one has them, the others run alone. */
static void callers_share_a_model_with_threads(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.4};
    pack_model *packed = random_model(wide_network(), f, 5);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    float *input = random_floats(SAMPLES * graph_value_count(packed->g, packed->g->input), 6);
    const size_t outputs = graph_value_count(packed->g, packed->g->output);
    admmnn_runtime *model = open_with(file, 0, 3);
    expect_callers(model, input, outputs);
    admmnn_runtime_close(model);
    base_free(input);
    base_free(file.at);
    pack_model_free(packed);
}

/* ---- forks ---- */

#define FORKS 20
/* A process that waits for ever is ended. */
#define SECONDS_MOST 60

typedef struct shared_model {
    admmnn_runtime *model;
    admmnn_runtime_info info;
    float *input, *expected; /* one sample */
    atomic_bool stopping;
} shared_model;

static shared_model *open_shared(unsigned threads) {
    pack_model *packed = random_model(wide_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 8);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    shared_model *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->model = open_with(file, 0, threads);
    admmnn_runtime_get_info(s->model, &s->info);
    s->input = random_floats(s->info.inputs, 9);
    s->expected = base_array(s->info.outputs, sizeof *s->expected);
    runtime_run(s->model, s->input, 1, s->expected);
    base_free(file.at);
    pack_model_free(packed);
    return s;
}

static void close_shared(shared_model *s) {
    admmnn_runtime_close(s->model);
    base_free(s->input);
    base_free(s->expected);
    free(s);
}

static void *run_until_stopped(void *argument) {
    shared_model *s = argument;
    void *workspace = malloc(s->info.workspace_bytes);
    float *output = malloc(s->info.outputs * sizeof *output);
    while (workspace != NULL && output != NULL && !s->stopping)
        admmnn_runtime_run(s->model, workspace, s->input, 1, output);
    free(workspace);
    free(output);
    return NULL;
}

/* In a fork, whose exit status tells whether it got the bytes. */
static void run_and_close(const shared_model *s, void *workspace, float *output) {
    alarm(SECONDS_MOST);
    admmnn_runtime_run(s->model, workspace, s->input, 1, output);
    admmnn_runtime_close(s->model);
    _exit(memcmp(output, s->expected, s->info.outputs * sizeof *output) != 0);
}

static void expect_fork(const shared_model *s) {
    int status = -1;
    void *workspace = malloc(s->info.workspace_bytes);
    float *output = malloc(s->info.outputs * sizeof *output);
    assert_true(workspace != NULL && output != NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_and_close(s, workspace, output);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(workspace);
    free(output);
}

static void a_fork_runs_and_closes_a_model_with_threads(void **state) {
    (void)state;
    shared_model *s = open_shared(4);
    pthread_t thread;
    expect_fork(s);
    assert_int_equal(pthread_create(&thread, NULL, run_until_stopped, s), 0);
    for (int i = 0; i < FORKS; i++)
        expect_fork(s);
    s->stopping = true;
    pthread_join(thread, NULL);
    expect_fork(s);
    runtime_run(s->model, s->input, 1, s->expected);
    close_shared(s);
}

/* ---- callers who are cancelled ---- */

#define CANCELS 40

typedef struct cancelled_caller {
    shared_model *shared;
    void *workspace;
    float *output;
} cancelled_caller;

/* Where the run has places to be cancelled at, it is there that the thread ends. */
static void *run_until_cancelled(void *argument) {
    cancelled_caller *c = argument;
    while (!c->shared->stopping)
        admmnn_runtime_run(c->shared->model, c->workspace, c->shared->input, 1, c->output);
    pthread_testcancel();
    return NULL;
}

static void cancel_caller(cancelled_caller *c, long nanoseconds) {
    const struct timespec pause = {0, nanoseconds};
    void *result = NULL;
    pthread_t thread;
    c->shared->stopping = false;
    assert_int_equal(pthread_create(&thread, NULL, run_until_cancelled, c), 0);
    nanosleep(&pause, NULL);
    assert_int_equal(pthread_cancel(thread), 0);
    nanosleep(&pause, NULL);
    c->shared->stopping = true;
    pthread_join(thread, &result);
    assert_ptr_equal(result, PTHREAD_CANCELED);
}

/* Else the next one, or closing, waits for ever. */
static void a_caller_who_is_cancelled_leaves_the_threads_to_others(void **state) {
    (void)state;
    shared_model *s = open_shared(4);
    cancelled_caller c = {s, malloc(s->info.workspace_bytes),
                          malloc(s->info.outputs * sizeof(float))};
    assert_true(c.workspace != NULL && c.output != NULL);
    alarm(SECONDS_MOST);
    for (int i = 0; i < CANCELS; i++)
        cancel_caller(&c, 1000000 + 10000 * i);
    runtime_run(s->model, s->input, 1, c.output);
    assert_memory_equal(c.output, s->expected, s->info.outputs * sizeof *c.output);
    free(c.workspace);
    free(c.output);
    close_shared(s);
    alarm(0);
}

/* More than what an arena loses by its alignment. */
#define TOO_FEW 64

/* By an arena of what measuring tells, and by one of less. */
static void expect_measured(bytes file, unsigned threads, size_t needed) {
    void *arena = malloc(needed);
    admmnn_runtime_settings settings = {.arena = arena, .arena_bytes = needed, .threads = threads};
    admmnn_runtime *model;
    assert_non_null(arena);
    created = 0;
    OPEN(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, err));
    assert_int_equal(created, threads - 1);
    admmnn_runtime_close(model);
    settings.arena_bytes -= TOO_FEW;
    assert_int_equal(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, NULL),
                     ADMMNN_RUNTIME_ARENA);
    free(arena);
}

static void measuring_starts_no_thread(void **state) {
    (void)state;
    pack_model *packed = random_model(wide_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 7);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    for (unsigned threads = 1; threads <= 7; threads += 3) {
        const admmnn_runtime_settings settings = {.threads = threads};
        size_t needed = 0;
        created = 0;
        OPEN(admmnn_runtime_measure(file.at, file.count, &settings, &needed, err));
        assert_int_equal(created, 0);
        expect_measured(file, threads, needed);
    }
    base_free(file.at);
    pack_model_free(packed);
}

/* Those before it end, and a sanitizer sees that nothing is left. */
static void a_thread_that_cannot_be_started_is_told(void **state) {
    (void)state;
    pack_model *packed = random_model(wide_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.4}, 7);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    const admmnn_runtime_settings settings = {.threads = 4};
    admmnn_runtime *model = NULL;
    admmnn_runtime_error err;
    created = 0;
    refused_from = 2;
    assert_int_equal(admmnn_runtime_open_memory(file.at, file.count, &settings, &model, &err),
                     ADMMNN_RUNTIME_MEMORY);
    refused_from = UINT_MAX;
    assert_int_equal(created, 2);
    assert_null(model);
    assert_string_equal(err.reason, "a thread cannot be started");
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_give_the_bytes_of_one),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(short_rows_are_shared_too),
        cmocka_unit_test(threads_round_as_the_caller_does),
        cmocka_unit_test(callers_share_a_model_with_threads),
        cmocka_unit_test(a_fork_runs_and_closes_a_model_with_threads),
        cmocka_unit_test(a_caller_who_is_cancelled_leaves_the_threads_to_others),
        cmocka_unit_test(measuring_starts_no_thread),
        cmocka_unit_test(a_thread_that_cannot_be_started_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

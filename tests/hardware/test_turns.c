/* What is timed in turns: whose turn it is, and what is made of the times. */
#include "hardware/turns.h"

#include "must.h"

#define WAYS 3
#define RUNS_MOST 40000

typedef struct log {
    int ways[RUNS_MOST]; /* whose turn each was */
    unsigned runs, fails_at;
} log;

/* A clock of the test's: a run moves it on. */
static double clock_seconds;

static double now(void) {
    return clock_seconds;
}

/* Way w takes w + 1 seconds in its first round, which does not count, and in later ones 10 (w + 1)
 * and, falling, less by one a round down to 10 (w + 1) - 4. */
static admmnn_status run(void *user, int way, admmnn_error *err) {
    log *l = user;
    const unsigned round = l->runs / WAYS;
    if (l->runs == l->fails_at)
        return base_fail(err, ADMMNN_BACKEND, "run %u", l->runs);
    assert_true(l->runs < RUNS_MOST);
    l->ways[l->runs++] = way;
    clock_seconds += round == 0 ? way + 1 : 10 * (way + 1) - (int)((round - 1) % 5);
    return ADMMNN_OK;
}

static turns of(log *l) {
    return (turns){.ways = WAYS, .run = run, .user = l, .now = now};
}

static void each_has_its_turn(void **state) {
    (void)state;
    log l = {.fails_at = RUNS_MOST};
    const turns t = of(&l);
    turns_times times[WAYS];
    unsigned rounds;
    MUST(turns_time(&t, 0.0, times, &rounds, err));
    assert_int_equal(rounds, 5);
    assert_int_equal(l.runs, 6 * WAYS);
    for (unsigned i = 0; i < l.runs; i++)
        assert_int_equal(l.ways[i], i % WAYS);
    for (int way = 0; way < WAYS; way++) {
        assert_true(times[way].median == 10 * (way + 1) - 2);
        assert_true(times[way].least == 10 * (way + 1) - 4);
    }
}

static void rounds_have_an_end(void **state) {
    (void)state;
    log l = {.fails_at = RUNS_MOST};
    const turns t = of(&l);
    turns_times times[WAYS];
    unsigned rounds;
    MUST(turns_time(&t, 3600.0, times, &rounds, err));
    assert_int_equal(rounds, 10000);
    assert_int_equal(l.runs, 10001 * WAYS);
}

/* A way with a turn of its own runs for a while that does not count. */
static void turns_settle(void **state) {
    (void)state;
    log l = {.fails_at = RUNS_MOST};
    turns t = of(&l);
    turns_times times[WAYS];
    unsigned rounds;
    t.settle = 1e-9;
    MUST(turns_time(&t, 0.0, times, &rounds, err));
    assert_int_equal(rounds, 5 * TURNS_RUNS);
    const unsigned turn = 1 + TURNS_RUNS;
    assert_int_equal(l.runs, 6 * WAYS * turn);
    for (unsigned i = 0; i < l.runs; i++)
        assert_int_equal(l.ways[i], i / turn % WAYS);
}

static void a_failure_ends_them(void **state) {
    (void)state;
    const unsigned at[] = {0, 4}; /* warming up, and later */
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        log l = {.fails_at = at[i]};
        const turns t = of(&l);
        turns_times times[WAYS];
        unsigned rounds;
        admmnn_error err;
        assert_int_equal(turns_time(&t, 0.0, times, &rounds, &err), ADMMNN_BACKEND);
        assert_int_equal(l.runs, at[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_turn),
        cmocka_unit_test(rounds_have_an_end),
        cmocka_unit_test(turns_settle),
        cmocka_unit_test(a_failure_ends_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

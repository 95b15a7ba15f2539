/* The pool: every thread once a run, nothing lost or doubled, two pools at once. */
#include "support.h"

#include <pthread.h>

#include "base/pool.h"

#define THREADS_MAX 7

typedef struct tally {
    uint64_t runs[THREADS_MAX]; /* each written by its own thread alone */
    unsigned threads;
} tally;

static void count(void *argument, unsigned thread, unsigned threads) {
    tally *t = argument;
    if (thread < THREADS_MAX && threads == t->threads)
        t->runs[thread]++;
}

static void run_many(base_pool *pool, uint64_t rounds) {
    tally t = {.threads = base_pool_threads(pool)};
    for (uint64_t round = 1; round <= rounds; round++) {
        base_pool_run(pool, count, &t);
        /* All have returned, and what they wrote is seen. */
        for (unsigned i = 0; i < t.threads; i++)
            assert_true(t.runs[i] == round);
    }
}

static void every_thread_runs_once(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= THREADS_MAX; threads += 2) {
        base_pool *pool;
        assert_int_equal(base_pool_create(threads, &pool, NULL), ADMMNN_OK);
        assert_int_equal(base_pool_threads(pool), threads);
        run_many(pool, 500);
        base_pool_destroy(pool);
    }
}

static void *use_own_pool(void *argument) {
    run_many(argument, 2000);
    return NULL;
}

static void two_pools_run_at_once(void **state) {
    (void)state;
    base_pool *pools[2];
    pthread_t other;
    for (int i = 0; i < 2; i++)
        assert_int_equal(base_pool_create(2, &pools[i], NULL), ADMMNN_OK);
    assert_int_equal(pthread_create(&other, NULL, use_own_pool, pools[1]), 0);
    run_many(pools[0], 2000);
    pthread_join(other, NULL);
    for (int i = 0; i < 2; i++)
        base_pool_destroy(pools[i]);
}

/* A pool whose threads have never worked, and one whose threads sleep. */
static void idle_pools_end(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        base_pool *pool;
        assert_int_equal(base_pool_create(3, &pool, NULL), ADMMNN_OK);
        base_pool_destroy(pool);
    }
    base_pool *pool;
    assert_int_equal(base_pool_create(3, &pool, NULL), ADMMNN_OK);
    run_many(pool, 1);
    const struct timespec nap = {.tv_nsec = 20000000};
    nanosleep(&nap, NULL);
    run_many(pool, 3);
    base_pool_destroy(pool);
    base_pool_destroy(NULL);
}

static void numbers_of_threads(void **state) {
    (void)state;
    base_pool *pool = NULL;
    admmnn_error err = {0};
    assert_int_equal(base_pool_create(0, &pool, &err), ADMMNN_OK);
    assert_true(base_pool_threads(pool) >= 1);
    assert_int_equal(base_pool_threads(pool), base_pool_resolve(0));
    assert_int_equal(base_pool_resolve(5), 5);
    base_pool_destroy(pool);
    assert_int_equal(base_pool_create(1025, &pool, &err), ADMMNN_USAGE);
    assert_non_null(strstr(err.message, "1025"));
    assert_non_null(strstr(err.message, "1 to 1024"));
}

/* One after the other, of whole units but for the end, and no share larger than a
 * thread must take. */
static void shares_cover_everything_once(void **state) {
    (void)state;
    for (size_t unit = 1; unit <= 16; unit += 5) {
        for (size_t count = 0; count <= 100; count++) {
            for (unsigned threads = 1; threads <= 9; threads++) {
                size_t at = 0;
                for (unsigned t = 0; t < threads; t++) {
                    base_share share = base_pool_share(count, unit, t, threads);
                    assert_int_equal(share.first, at);
                    assert_true(share.count % unit == 0 || share.first + share.count == count);
                    /* All threads with one unit less could not do it. */
                    assert_true(share.count <= unit || (share.count - unit) * threads < count);
                    at += share.count;
                }
                assert_int_equal(at, count);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_runs_once),
        cmocka_unit_test(two_pools_run_at_once),
        cmocka_unit_test(idle_pools_end),
        cmocka_unit_test(numbers_of_threads),
        cmocka_unit_test(shares_cover_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The iteration: known solutions of convex problems, residuals and schedules
 * against their definitions. */
#include "support.h"

#include "admm/admm.h"
#include "admm/set_class.h"

/* ---- convex sets, made here: the interface is open ---- */

static void release(admm_set *set) {
    base_free(set);
}

/* All values equal: the projection is their mean. */
static admmnn_status to_mean(admm_set *set, const float *v, float *z, size_t count,
                             admmnn_error *err) {
    (void)set;
    (void)err;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)v[i];
    for (size_t i = 0; i < count; i++)
        z[i] = (float)(sum / (double)count);
    return ADMMNN_OK;
}

static admmnn_status to_positive(admm_set *set, const float *v, float *z, size_t count,
                                 admmnn_error *err) {
    (void)set;
    (void)err;
    for (size_t i = 0; i < count; i++)
        z[i] = v[i] > 0.0F ? v[i] : 0.0F;
    return ADMMNN_OK;
}

static const admm_set_class consensus_class = {"consensus", to_mean, release};
static const admm_set_class positive_class = {"positive", to_positive, release};

static admm_set *set_make(const admm_set_class *class) {
    admm_set *set = base_array(1, sizeof *set);
    assert_non_null(set);
    set->class = class;
    return set;
}

static admm_set *sparse_make(size_t count, size_t kept) {
    admm_set *set;
    assert_int_equal(admm_set_sparse(count, kept, &set, NULL), ADMMNN_OK);
    return set;
}

static admm_problem *problem_make(const admm_block *blocks, size_t count, size_t size) {
    admm_problem *p;
    admmnn_error err = {0};
    expect_ok(admm_create(blocks, count, size, &p, &err), &err);
    return p;
}

/* f(x) = sum d_i / 2 (x_i - a_i)^2, so that the x step has a closed form. */
#define SIZE 5
static const float weight[SIZE] = {1.0F, 2.0F, 0.5F, 4.0F, 1.5F};
static const float centre[SIZE] = {4.0F, -1.0F, 2.0F, 0.25F, -2.0F};

static void minimise(const admm_problem *p, float *x) {
    float anchor[SIZE];
    admm_anchor(p, NULL, SIZE, anchor);
    float rho = admm_block_at(p, 0)->rho;
    for (size_t i = 0; i < SIZE; i++)
        x[i] = (weight[i] * centre[i] + rho * anchor[i]) / (weight[i] + rho);
}

static admm_problem *quadratic_make(admm_set *set, float rho) {
    const admm_block block = {.name = "all", .count = SIZE, .set = set, .rho = rho};
    admm_problem *p = problem_make(&block, 1, SIZE);
    assert_int_equal(admm_start(p, centre, NULL), ADMMNN_OK);
    return p;
}

static void consensus_reaches_the_weighted_mean(void **state) {
    (void)state;
    double above = 0.0;
    double below = 0.0;
    for (size_t i = 0; i < SIZE; i++) {
        above += (double)weight[i] * (double)centre[i];
        below += (double)weight[i];
    }
    admm_problem *p = quadratic_make(set_make(&consensus_class), 1.0F);
    admm_residual r = {0};
    float x[SIZE];
    int steps = 0;
    do {
        minimise(p, x);
        assert_int_equal(admm_update(p, x, &r, NULL), ADMMNN_OK);
        steps++;
        assert_true(steps > 1 || !admm_converged(p, &r, 1e-5));
    } while (!admm_converged(p, &r, 1e-5) && steps < 500);
    assert_true(steps < 100);
    for (size_t i = 0; i < SIZE; i++) {
        assert_true(fabs((double)x[i] - above / below) < 1e-4);
        /* The multiplier rho u is minus f's gradient at the solution. */
        double gradient = (double)weight[i] * (above / below - (double)centre[i]);
        assert_true(fabs((double)admm_u(p)[i] + gradient) < 1e-3);
    }
    admm_free(p);
}

static void positive_values_meet_the_bound(void **state) {
    (void)state;
    admm_problem *p = quadratic_make(set_make(&positive_class), 0.7F);
    float x[SIZE];
    for (int step = 0; step < 300; step++) {
        minimise(p, x);
        assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
    }
    for (size_t i = 0; i < SIZE; i++)
        assert_true(fabs((double)x[i] - fmax((double)centre[i], 0.0)) < 1e-4);
    admm_free(p);
}

/* z is where beta ||z - P(v)|| + rho/2 ||z - v||^2 is least: no point near it has less. */
static void soft_projection_is_proximal(void **state) {
    (void)state;
    const float beta = 0.6F;
    const float rho = 1.5F;
    const float far[SIZE] = {-2.0F, 1.0F, -0.5F, 3.0F, -1.0F};
    const float near[SIZE] = {-0.2F, 1.0F, -0.1F, 3.0F, -0.1F};
    const float *const starts[] = {far, near};
    base_random random = base_random_at(5, 0, 0);
    for (size_t s = 0; s < 2; s++) {
        admm_problem *p = quadratic_make(set_make(&positive_class), rho);
        admm_set_variant(p, &(admm_variant){.kind = ADMM_VARIANT_S, .beta = beta});
        memset(admm_u_mutable(p), 0, SIZE * sizeof(float));
        assert_int_equal(admm_update(p, starts[s], NULL, NULL), ADMMNN_OK);
        double least = INFINITY;
        double reached = 0;
        for (int round = 0; round < 20000; round++) {
            double distance2 = 0;
            double step2 = 0;
            for (size_t i = 0; i < SIZE; i++) {
                const double off = round == 0 ? 0 : 0.02 * (double)base_random_normal(&random);
                const double z = (double)admm_z(p)[i] + off;
                const double to = z - fmax((double)starts[s][i], 0);
                distance2 += to * to;
                step2 += (z - (double)starts[s][i]) * (z - (double)starts[s][i]);
            }
            const double value = (double)beta * sqrt(distance2) + (double)rho / 2 * step2;
            reached = round == 0 ? value : reached;
            least = fmin(least, value);
        }
        assert_true(reached <= least + 1e-6);
        /* Within beta / rho of the set it is its projection, and the sum stays v. */
        for (size_t i = 0; i < SIZE; i++) {
            assert_true(s == 0 || admm_z(p)[i] == fmaxf(starts[s][i], 0));
            assert_true(fabsf(admm_z(p)[i] + admm_u(p)[i] - starts[s][i]) < 1e-6F);
        }
        admm_free(p);
    }
}

#define MANY 20000

/* About the share asked for is renewed, others stay; the draws have names. */
static void randomised_projection_renews_a_share(void **state) {
    (void)state;
    float *x = floats(MANY);
    float *first = floats(MANY);
    const admm_block block = {
        .name = "w", .count = MANY, .set = set_make(&positive_class), .rho = 1};
    admm_problem *p = problem_make(&block, 1, MANY);
    for (uint64_t step = 0; step < 3; step++) {
        for (size_t i = 0; i < MANY; i++) {
            x[i] = 2;
            admm_z_mutable(p)[i] = 1;
            admm_u_mutable(p)[i] = 0;
        }
        admm_set_variant(
            p, &(admm_variant){
                   .kind = ADMM_VARIANT_R, .probability = 0.3F, .seed = 8, .step = step / 2});
        assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
        size_t renewed = 0;
        for (size_t i = 0; i < MANY; i++) {
            assert_true(admm_z(p)[i] == 2 || admm_z(p)[i] == 1);
            renewed += admm_z(p)[i] == 2;
        }
        assert_true(fabs((double)renewed / MANY - 0.3) < 0.02);
        if (step == 0)
            memcpy(first, admm_z(p), MANY * sizeof *first);
        assert_true((memcmp(first, admm_z(p), MANY * sizeof *first) == 0) == (step < 2));
    }
    admm_free(p);
    base_free(x);
    base_free(first);
}

/* Places kept beside places renewed would be up to 4 nonzeros. */
static void randomised_projection_stays_in_the_set(void **state) {
    (void)state;
    const float x[SIZE] = {0, 0, 5, 6, 0};
    size_t mixed = 0;
    for (uint64_t seed = 0; seed < 64; seed++) {
        const admm_block block = {
            .name = "w", .count = SIZE, .set = sparse_make(SIZE, 2), .rho = 1};
        admm_problem *p = problem_make(&block, 1, SIZE);
        admm_z_mutable(p)[0] = 1;
        admm_z_mutable(p)[1] = 2;
        admm_set_variant(
            p, &(admm_variant){.kind = ADMM_VARIANT_R, .probability = 0.5F, .seed = seed});
        assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
        size_t nonzeros = 0;
        for (size_t i = 0; i < SIZE; i++)
            nonzeros += admm_z(p)[i] != 0;
        assert_true(nonzeros <= 2);
        mixed += admm_z(p)[1] == 2 && (admm_z(p)[2] != 0 || admm_z(p)[3] != 0);
        for (size_t i = 0; i < SIZE; i++) /* u takes what z left */
            assert_true(admm_u(p)[i] == x[i] - admm_z(p)[i]);
        admm_free(p);
    }
    assert_true(mixed > 0);
}

/* f(x) = 1/2 ||x - a||^2 on at most 2 nonzeros: the 2 largest of a. */
static void sparse_keeps_the_largest(void **state) {
    (void)state;
    const float a[SIZE] = {0.5F, -3.0F, 1.0F, 2.5F, -0.75F};
    const admm_block block = {.name = "w", .count = SIZE, .set = sparse_make(SIZE, 2), .rho = 1.5F};
    admm_problem *p = problem_make(&block, 1, SIZE);
    assert_int_equal(admm_start(p, a, NULL), ADMMNN_OK);
    for (int step = 0; step < 100; step++) {
        float x[SIZE];
        float anchor[SIZE];
        admm_anchor(p, NULL, SIZE, anchor);
        for (size_t i = 0; i < SIZE; i++)
            x[i] = (a[i] + 1.5F * anchor[i]) / 2.5F;
        assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
    }
    const float expected[SIZE] = {0.0F, -3.0F, 0.0F, 2.5F, 0.0F};
    for (size_t i = 0; i < SIZE; i++)
        assert_true(fabs((double)admm_z(p)[i] - (double)expected[i]) < 1e-5);
    admm_free(p);
}

/* ---- one update, replayed in double precision ---- */

static void residuals_are_as_defined(void **state) {
    (void)state;
    /* Two blocks with a gap before, between and after. */
    enum { ALL = 12 };
    const admm_block blocks[2] = {{.name = "a", .offset = 1, .count = 4, .rho = 2.0F},
                                  {.name = "b", .offset = 6, .count = 5, .rho = 0.25F}};
    admm_block filled[2] = {blocks[0], blocks[1]};
    filled[0].set = sparse_make(4, 2);
    filled[1].set = set_make(&consensus_class);
    admm_problem *p = problem_make(filled, 2, ALL);
    base_random random = base_random_at(1, 1, 1);
    float x[ALL];
    float z[ALL];
    float u[ALL];
    for (size_t i = 0; i < ALL; i++)
        x[i] = base_random_normal(&random);
    assert_int_equal(admm_start(p, x, NULL), ADMMNN_OK);
    for (int step = 0; step < 4; step++) {
        memcpy(z, admm_z(p), sizeof z);
        memcpy(u, admm_u(p), sizeof u);
        for (size_t i = 0; i < ALL; i++)
            x[i] += 0.3F * base_random_normal(&random);
        admm_residual r[2];
        assert_int_equal(admm_update(p, x, r, NULL), ADMMNN_OK);
        for (size_t b = 0; b < 2; b++) {
            double primal = 0.0;
            double moved = 0.0;
            double norms[3] = {0.0, 0.0, 0.0};
            for (size_t i = blocks[b].offset; i < blocks[b].offset + blocks[b].count; i++) {
                double now = (double)admm_z(p)[i];
                double dual = (double)u[i] + (double)x[i] - now;
                assert_true(fabs((double)admm_u(p)[i] - dual) < 1e-6);
                primal += pow((double)x[i] - now, 2.0);
                moved += pow(now - (double)z[i], 2.0);
                norms[0] += (double)x[i] * (double)x[i];
                norms[1] += now * now;
                norms[2] += dual * dual;
            }
            assert_true(fabs(r[b].primal - sqrt(primal)) < 1e-6);
            assert_true(fabs(r[b].dual - (double)blocks[b].rho * sqrt(moved)) < 1e-6);
            assert_true(fabs(r[b].x_norm - sqrt(norms[0])) < 1e-6);
            assert_true(fabs(r[b].z_norm - sqrt(norms[1])) < 1e-6);
            assert_true(fabs(r[b].u_norm - sqrt(norms[2])) < 1e-6);
        }
    }
    float anchor[ALL];
    memset(anchor, 1, sizeof anchor);
    admm_anchor(p, NULL, ALL, anchor);
    for (size_t i = 0; i < ALL; i++) {
        bool outside = i == 0 || i == 5 || i == 11;
        assert_true(anchor[i] == (outside ? 0.0F : admm_z(p)[i] - admm_u(p)[i]));
    }
    const size_t places[] = {1, 4, 5, 10};
    float some[4];
    admm_anchor(p, places, 4, some);
    for (size_t i = 0; i < 4; i++)
        assert_true(some[i] == anchor[places[i]]);
    admm_free(p);
}

static void a_warm_start_goes_on(void **state) {
    (void)state;
    admm_problem *p = quadratic_make(set_make(&consensus_class), 0.6F);
    admm_problem *warm = quadratic_make(set_make(&consensus_class), 1.0F);
    float x[SIZE];
    for (int step = 0; step < 10; step++) {
        if (step == 4) {
            memcpy(admm_z_mutable(warm), admm_z(p), SIZE * sizeof(float));
            memcpy(admm_u_mutable(warm), admm_u(p), SIZE * sizeof(float));
            admm_block_rho_set(warm, 0, admm_block_at(p, 0)->rho);
        }
        minimise(p, x);
        assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
        if (step < 4)
            continue;
        minimise(warm, x);
        assert_int_equal(admm_update(warm, x, NULL, NULL), ADMMNN_OK);
        assert_memory_equal(admm_z(warm), admm_z(p), SIZE * sizeof(float));
        assert_memory_equal(admm_u(warm), admm_u(p), SIZE * sizeof(float));
    }
    admm_free(p);
    admm_free(warm);
}

/* z and u stay: the next update is the first under another set. */
static void a_set_may_be_renewed(void **state) {
    (void)state;
    const float x[6] = {6, -5, 4, -3, 2, -1};
    admm_block block = {.name = "all", .count = 6, .rho = 1.0F};
    admm_set *fewer;
    admm_problem *p;
    assert_int_equal(admm_set_sparse(6, 4, &block.set, NULL), ADMMNN_OK);
    assert_int_equal(admm_create(&block, 1, 6, &p, NULL), ADMMNN_OK);
    assert_int_equal(admm_start(p, x, NULL), ADMMNN_OK);
    assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
    assert_int_equal(admm_set_sparse(6, 2, &fewer, NULL), ADMMNN_OK);
    admm_block_replace_set(p, 0, fewer);
    assert_true(admm_z(p)[3] == -3 && admm_u(p)[4] == 2 && admm_u(p)[5] == -1);
    assert_int_equal(admm_update(p, x, NULL, NULL), ADMMNN_OK);
    const float z[6] = {6, -5, 0, 0, 0, 0};
    const float u[6] = {0, 0, 4, -3, 4, -2};
    assert_memory_equal(admm_z(p), z, sizeof z);
    assert_memory_equal(admm_u(p), u, sizeof u);
    admm_free(p);
}

/* ---- schedules ---- */

static admm_problem *scheduled_make(float rho) {
    admm_problem *p = quadratic_make(sparse_make(SIZE, 2), rho);
    for (size_t i = 0; i < SIZE; i++)
        admm_u_mutable(p)[i] = (float)i + 1.0F;
    return p;
}

/* rho is `expected`, and rho u, the unscaled multiplier, has not changed. */
static void expect_rho(const admm_problem *p, double expected, double multiplier) {
    double rho = (double)admm_block_at(p, 0)->rho;
    assert_true(fabs(rho - expected) <= 1e-6 * expected);
    for (size_t i = 0; i < SIZE; i++) {
        double product = rho * (double)admm_u(p)[i];
        assert_true(fabs(product - multiplier * ((double)i + 1.0)) <= 1e-5 * multiplier * 5.0);
    }
}

static void fixed_and_geometric_rho(void **state) {
    (void)state;
    const admm_schedule fixed = {.kind = ADMM_RHO_FIXED, .first = 0.01F, .last = 5.0F};
    const admm_schedule geometric = {
        .kind = ADMM_RHO_GEOMETRIC, .first = 1e-4F, .last = 1e-2F, .iterations = 5};
    admm_problem *p = scheduled_make(0.01F);
    for (uint32_t k = 0; k < 4; k++) {
        admm_set_rho(p, &fixed, k, NULL);
        expect_rho(p, 0.01, 0.01);
    }
    for (uint32_t k = 0; k < 7; k++) {
        admm_set_rho(p, &geometric, k, NULL);
        expect_rho(p, 1e-4 * pow(100.0, k < 4 ? k / 4.0 : 1.0), 0.01);
    }
    const admm_schedule single = {
        .kind = ADMM_RHO_GEOMETRIC, .first = 0.5F, .last = 1e-2F, .iterations = 1};
    admm_set_rho(p, &single, 0, NULL);
    expect_rho(p, 0.5, 0.01);
    admm_free(p);
}

static void balancing_follows_the_residuals(void **state) {
    (void)state;
    const admm_schedule plain = {.kind = ADMM_RHO_BALANCING, .first = 0.2F};
    const admm_schedule given = {
        .kind = ADMM_RHO_BALANCING, .first = 0.2F, .ratio = 3.0F, .factor = 1.5F};
    const admm_residual primal = {.primal = 10.1, .dual = 1.0};
    const admm_residual even = {.primal = 9.9, .dual = 1.0};
    const admm_residual dual = {.primal = 1.0, .dual = 10.1};
    admm_problem *p = scheduled_make(0.4F);
    admm_set_rho(p, &plain, 0, &primal);
    expect_rho(p, 0.2, 0.4); /* the first iteration starts from `first` */
    admm_set_rho(p, &plain, 1, &primal);
    expect_rho(p, 0.4, 0.4);
    admm_set_rho(p, &plain, 2, &even);
    expect_rho(p, 0.4, 0.4);
    admm_set_rho(p, &plain, 3, &dual);
    expect_rho(p, 0.2, 0.4);
    admm_set_rho(p, &given, 4, &even);
    expect_rho(p, 0.3, 0.4);
    admm_free(p);
}

/* A residual of zero asks for a smaller or larger rho for ever: it stays a normal
 * number, and u with it. */
static void balancing_has_bounds(void **state) {
    (void)state;
    const admm_schedule s = {.kind = ADMM_RHO_BALANCING, .first = 1e-4F, .factor = 10.0F};
    const admm_residual down = {.primal = 0.0, .dual = 1.0};
    const admm_residual up = {.primal = 1.0, .dual = 0.0};
    admm_problem *p = scheduled_make(1e-4F);
    for (uint32_t k = 0; k < 60; k++)
        admm_set_rho(p, &s, k, &down);
    assert_true(admm_block_at(p, 0)->rho == 1e-9F);
    for (uint32_t k = 1; k < 60; k++)
        admm_set_rho(p, &s, k, &up);
    assert_true(admm_block_at(p, 0)->rho == 1e6F);
    admm_free(p);
}

/* A rho that is far off converges slowly; balancing makes up for it. */
static void balancing_saves_iterations(void **state) {
    (void)state;
    const admm_schedule schedules[2] = {{.kind = ADMM_RHO_FIXED, .first = 1e-3F},
                                        {.kind = ADMM_RHO_BALANCING, .first = 1e-3F}};
    int steps[2] = {0, 0};
    for (int s = 0; s < 2; s++) {
        admm_problem *p = quadratic_make(set_make(&consensus_class), 1e-3F);
        admm_residual r;
        float x[SIZE];
        do {
            minimise(p, x);
            assert_int_equal(admm_update(p, x, &r, NULL), ADMMNN_OK);
            steps[s]++;
            admm_set_rho(p, &schedules[s], (uint32_t)steps[s], &r);
        } while (!admm_converged(p, &r, 1e-4) && steps[s] < 5000);
        admm_free(p);
    }
    assert_true(steps[1] < 100);
    assert_true(4 * steps[1] < steps[0]);
}

static void convergence_is_boyd_s_test(void **state) {
    (void)state;
    admm_problem *p = quadratic_make(sparse_make(SIZE, 2), 0.5F);
    admm_residual r = {.primal = 0.1, .dual = 0.05, .x_norm = 1.0, .z_norm = 0.5, .u_norm = 1.0};
    assert_true(admm_converged(p, &r, 0.1));
    r.primal = 0.1001;
    assert_false(admm_converged(p, &r, 0.1));
    r.z_norm = 1.1;
    assert_true(admm_converged(p, &r, 0.1));
    r.dual = 0.0501;
    assert_false(admm_converged(p, &r, 0.1));
    admm_free(p);
}

/* ---- failures ---- */

static void impossible_problems_are_refused(void **state) {
    (void)state;
    const admm_block bad[] = {
        {.name = "late", .offset = 9, .count = 2, .rho = 1.0F},
        {.name = "long", .offset = 0, .count = 11, .rho = 1.0F},
        {.name = "wrap", .offset = 4, .count = SIZE_MAX - 2, .rho = 1.0F},
        {.name = "free", .offset = 0, .count = 2, .rho = 0.0F},
        {.name = "down", .offset = 0, .count = 2, .rho = -1.0F},
        {.name = "none", .offset = 0, .count = 2, .rho = NAN},
        {.name = "more", .offset = 0, .count = 2, .rho = INFINITY},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        admm_block block = bad[i];
        block.set = sparse_make(2, 1); /* taken over also on failure */
        admm_problem *p = NULL;
        admmnn_error err = {0};
        assert_int_equal(admm_create(&block, 1, 10, &p, &err), ADMMNN_USAGE);
        assert_null(p);
        assert_non_null(strstr(err.message, block.name));
    }
}

static void a_value_that_is_not_finite_names_its_block(void **state) {
    (void)state;
    admm_block blocks[2] = {{.name = "conv1", .count = 2, .rho = 1.0F},
                            {.name = "fc1", .offset = 2, .count = 2, .rho = 1.0F}};
    for (int b = 0; b < 2; b++)
        blocks[b].set = sparse_make(2, 1);
    admm_problem *p = problem_make(blocks, 2, 4);
    float x[4] = {1.0F, 2.0F, 3.0F, 4.0F};
    assert_int_equal(admm_start(p, x, NULL), ADMMNN_OK);
    x[3] = NAN;
    admmnn_error err = {0};
    assert_int_equal(admm_update(p, x, NULL, &err), ADMMNN_DIVERGED);
    assert_non_null(strstr(err.message, "fc1"));
    err.message[0] = 0;
    assert_int_equal(admm_start(p, x, &err), ADMMNN_DIVERGED);
    assert_non_null(strstr(err.message, "fc1"));
    admm_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consensus_reaches_the_weighted_mean),
        cmocka_unit_test(positive_values_meet_the_bound),
        cmocka_unit_test(soft_projection_is_proximal),
        cmocka_unit_test(randomised_projection_renews_a_share),
        cmocka_unit_test(randomised_projection_stays_in_the_set),
        cmocka_unit_test(sparse_keeps_the_largest),
        cmocka_unit_test(residuals_are_as_defined),
        cmocka_unit_test(a_warm_start_goes_on),
        cmocka_unit_test(a_set_may_be_renewed),
        cmocka_unit_test(fixed_and_geometric_rho),
        cmocka_unit_test(balancing_follows_the_residuals),
        cmocka_unit_test(balancing_has_bounds),
        cmocka_unit_test(balancing_saves_iterations),
        cmocka_unit_test(convergence_is_boyd_s_test),
        cmocka_unit_test(impossible_problems_are_refused),
        cmocka_unit_test(a_value_that_is_not_finite_names_its_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

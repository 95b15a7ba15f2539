#include "admmnn/admmq.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "admmq/problem.h"
#include "admmq/statistics.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/pool.h"

/* What the threads share; each has a start at a time. */
typedef struct work {
    const admmnn_admmq_settings *settings;
    const admmnn_context *context;
    admmq_problem problem;
    double *x;                 /* [starts][dimension] */
    admmnn_solver_info *infos; /* [starts] */
    admmnn_error *errors;      /* [threads] */
    atomic_uint next, done;
    atomic_bool stop;
} work;

/* The thread of the caller asks the caller; the others hear of it. */
static bool is_stopped(void *user) {
    return atomic_load(&((work *)user)->stop);
}

static bool asks_caller(void *user) {
    work *w = user;
    if (base_cancelled(w->context))
        atomic_store(&w->stop, true);
    return atomic_load(&w->stop);
}

static void pass_on(void *user, const admmnn_progress *progress) {
    const work *w = user;
    base_progress(w->context, progress);
}

static void report_starts(work *w) {
    base_progress(w->context, &(admmnn_progress){
                                  .task = admmnn_method_text(w->settings->solver.method),
                                  .unit = "starts",
                                  .done = atomic_load(&w->done),
                                  .total = w->settings->starts,
                                  .run_done = -1,
                              });
}

static admmnn_status solve_start(work *w, admmnn_solver *solver, uint32_t s,
                                 const admmnn_context *context, admmnn_error *err) {
    const size_t d = w->problem.dimension;
    admmnn_error own;
    admmnn_status status = admmnn_solver_solve(solver, w->problem.starts + s * d, context,
                                               w->x + s * d, &w->infos[s], &own);
    atomic_fetch_add(&w->done, 1);
    if (status == ADMMNN_OK || status == ADMMNN_DIVERGED) /* these are counted at the end */
        return ADMMNN_OK;
    return base_fail(err, status, "%s", own.message);
}

static admmnn_status solve_starts(work *w, bool caller, admmnn_error *err) {
    const bool alone = w->settings->starts == 1;
    const admmnn_context context = {.cancelled = caller ? asks_caller : is_stopped,
                                    .progress = caller && alone ? pass_on : NULL,
                                    .user = w};
    const admmnn_problem problem = {.dimension = w->problem.dimension,
                                    .q = &w->problem.matrix,
                                    .b = w->problem.b,
                                    .set = w->settings->set};
    admmnn_solver_settings settings = w->settings->solver;
    for (uint32_t s; (s = atomic_fetch_add(&w->next, 1)) < w->settings->starts;) {
        admmnn_solver *solver;
        settings.seed = w->settings->solver.seed + s;
        BASE_TRY(admmnn_solver_create(&problem, &settings, &solver, err));
        admmnn_status status = solve_start(w, solver, s, &context, err);
        admmnn_solver_free(solver);
        if (status != ADMMNN_OK)
            return status;
        if (caller && !alone)
            report_starts(w);
    }
    return ADMMNN_OK;
}

static void solve_in_thread(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    work *w = argument;
    if (solve_starts(w, thread == 0, &w->errors[thread]) != ADMMNN_OK)
        atomic_store(&w->stop, true);
}

/* The first error that is more than the stop it led to. */
static admmnn_status error_of(const work *w, unsigned threads, admmnn_error *err) {
    const admmnn_error *found = NULL;
    for (unsigned t = 0; t < threads; t++)
        if (w->errors[t].status != ADMMNN_OK &&
            (found == NULL || found->status == ADMMNN_CANCELLED))
            found = &w->errors[t];
    return found == NULL ? ADMMNN_OK : base_fail(err, found->status, "%s", found->message);
}

static admmnn_status run_threads(work *w, admmnn_error *err) {
    unsigned threads = base_pool_resolve(w->context == NULL ? 0 : w->context->threads);
    threads = threads < w->settings->starts ? threads : w->settings->starts;
    base_pool *pool;
    BASE_TRY(base_pool_create(threads, &pool, err));
    w->errors = base_array(threads, sizeof *w->errors);
    admmnn_status status = ADMMNN_OK;
    if (w->errors == NULL) {
        status = base_fail_memory(err, "the threads");
    } else {
        base_pool_run(pool, solve_in_thread, w);
        status = error_of(w, threads, err);
    }
    base_pool_destroy(pool);
    return status;
}

/* ---- what is said of all starts ---- */

static bool has_point(const admmnn_solver_info *info) {
    return info->iterations > 0 || isfinite(info->objective);
}

static bool is_better(const admmnn_solver_info *info, const admmnn_solver_info *best) {
    return isfinite(info->objective) && !(info->objective >= best->objective);
}

static admmnn_status summarise(const work *w, admmnn_admmq_result *r, admmnn_error *err) {
    const uint32_t starts = w->settings->starts;
    double *values = base_array(starts, sizeof *values);
    size_t good = 0;
    uint32_t runs = 0;
    double iterations = 0;
    if (values == NULL)
        return base_fail_memory(err, "the starts");
    for (uint32_t s = 0; s < starts; s++) {
        const admmnn_solver_info *info = &w->infos[s];
        if (!has_point(info)) /* stopped before it began */
            continue;
        runs++;
        iterations += (double)info->iterations;
        r->diverged += info->outcome == ADMMNN_OUTCOME_DIVERGED;
        if (info->outcome != ADMMNN_OUTCOME_DIVERGED && isfinite(info->objective))
            values[good++] = info->objective;
        if (is_better(info, &w->infos[r->best]))
            r->best = s;
    }
    r->iterations = iterations / (double)runs;
    r->objective = statistics_quartiles(values, good);
    r->info = w->infos[r->best];
    base_free(values);
    if (!isfinite(r->info.objective))
        return ADMMNN_OK;
    r->x = base_array_copy(w->x + r->best * r->dimension, r->dimension, sizeof *r->x);
    return r->x != NULL ? ADMMNN_OK : base_fail_memory(err, "the answer");
}

static admmnn_status solve(work *w, admmnn_admmq_result *r, admmnn_error *err) {
    const uint32_t starts = w->settings->starts;
    BASE_TRY(admmq_problem_open(w->settings, &w->problem, err));
    r->dimension = w->problem.dimension;
    size_t count;
    if (base_multiply(starts, r->dimension, &count))
        w->x = base_array(count, sizeof *w->x);
    w->infos = base_array(starts, sizeof *w->infos);
    if (w->x == NULL || w->infos == NULL)
        return base_fail_memory(err, "the starts");
    for (uint32_t s = 0; s < starts; s++)
        w->infos[s].objective = NAN;
    admmnn_status status = run_threads(w, err);
    if (status != ADMMNN_OK && status != ADMMNN_CANCELLED)
        return status;
    BASE_TRY(summarise(w, r, status == ADMMNN_OK ? err : NULL));
    if (status == ADMMNN_OK && r->diverged == starts)
        return base_fail(err, ADMMNN_DIVERGED,
                         "%s diverged from every start; a larger rho (here %g, %g of the Lipschitz "
                         "constant) is needed, or a set without endless values",
                         admmnn_method_text(w->settings->solver.method), r->info.rho,
                         r->info.rho / r->info.lipschitz);
    return status;
}

admmnn_status admmnn_admmq_solve(const admmnn_admmq_settings *settings,
                                 const admmnn_context *context, admmnn_admmq_result *result,
                                 admmnn_error *err) {
    const admmnn_method method = settings->solver.method;
    admmnn_admmq_settings own = *settings;
    work w = {.settings = &own, .context = context};
    if (method == ADMMNN_METHOD_ROUND || method == ADMMNN_METHOD_EXACT) { /* start nowhere */
        own.starts = 1;
        own.start = NULL;
    }
    *result = (admmnn_admmq_result){.starts = own.starts};
    admmnn_status status = solve(&w, result, err);
    admmq_problem_free(&w.problem);
    base_free(w.x);
    base_free(w.infos);
    base_free(w.errors);
    return status;
}

void admmnn_admmq_free(admmnn_admmq_result *result) {
    base_free(result->x);
    result->x = NULL;
}

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "admm/batch.h"
#include "admmq/bench.h"
#include "admmq/crew.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/pool.h"

void bench_fill_grid(bench_setting *settings) {
    static const double probabilities[BENCH_PROBABILITIES] = {0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99};
    static const size_t variants[BENCH_METHODS] = {1, BENCH_BETAS, BENCH_PROBABILITIES, 1, 1};
    size_t at = 0;
    for (int m = 0; m < BENCH_METHODS; m++)
        for (int r = 0; r < BENCH_RHOS; r++)
            for (size_t v = 0; v < variants[m]; v++)
                settings[at++] = (bench_setting){
                    .method = (admmnn_method)m,
                    .rho_relative = pow(10, r - 6),
                    .beta = m == ADMMNN_METHOD_ADMM_S ? pow(10, 0.5 * (double)v - 5) : INFINITY,
                    .probability = m == ADMMNN_METHOD_ADMM_R ? probabilities[v] : 1};
}

/* ---- tasks: settings that share a system and a kernel, on one instance ---- */

typedef struct task {
    batch_method kernel;
    double rho_relative;
    size_t instance;
} task;

typedef struct work {
    const admmnn_quadratics_settings *settings;
    const admmnn_context *context; /* the caller's */
    bench_table *table;
    task *tasks;
    size_t task_count;
    uint32_t first;
    atomic_size_t next, runs_done;
    size_t runs;
} work;

static batch_method kernel_of(const bench_setting *s) {
    return s->method == ADMMNN_METHOD_ADMM_R     ? BATCH_RANDOMISED
           : s->method == ADMMNN_METHOD_PGD      ? BATCH_GRADIENT
           : s->method == ADMMNN_METHOD_GD_ROUND ? BATCH_DESCENT
                                                 : BATCH_SOFT;
}

static bool is_admm(batch_method kernel) {
    return kernel == BATCH_SOFT || kernel == BATCH_RANDOMISED;
}

static bool belongs(const bench_setting *s, const task *t) {
    return kernel_of(s) == t->kernel && s->rho_relative == t->rho_relative;
}

static bool is_new(const work *w, const task *t) {
    for (size_t i = 0; i < w->task_count; i++)
        if (w->tasks[i].kernel == t->kernel && w->tasks[i].rho_relative == t->rho_relative &&
            w->tasks[i].instance == t->instance)
            return false;
    return true;
}

/* The kernel with the most settings first, so that no thread ends long after the others. */
static void make_tasks(work *w) {
    static const batch_method order[] = {BATCH_SOFT, BATCH_RANDOMISED, BATCH_GRADIENT,
                                         BATCH_DESCENT};
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (size_t s = 0; s < w->table->setting_count; s++)
            for (size_t i = 0; i < w->table->instance_count; i++) {
                const bench_setting *setting = &w->table->settings[s];
                const task t = {order[k], setting->rho_relative, i};
                if (kernel_of(setting) == order[k] && is_new(w, &t))
                    w->tasks[w->task_count++] = t;
            }
}

static void fill_runs(const work *w, const task *t, batch_run *runs) {
    const quadratics_instance *instance = &w->table->instances[t->instance];
    size_t at = 0;
    for (size_t s = 0; s < w->table->setting_count; s++)
        for (uint32_t r = 0; belongs(&w->table->settings[s], t) && r < w->settings->starts; r++)
            runs[at++] = (batch_run){.start = instance->starts + (size_t)r * w->settings->dimension,
                                     .beta = w->table->settings[s].beta,
                                     .probability = w->table->settings[s].probability,
                                     .seed = w->settings->seed,
                                     .number = ((uint64_t)(w->first + t->instance) << 20) + r};
}

static bench_cell summarise(const batch_run *runs, uint32_t count, double *values) {
    bench_cell cell = {0};
    for (uint32_t r = 0; r < count; r++) {
        values[r] = runs[r].value;
        cell.diverged += isfinite(runs[r].value) ? 0 : 1;
        cell.iterations += (double)runs[r].iterations;
    }
    cell.value = statistics_quartiles(values, count);
    return cell;
}

static size_t keep_cells(const work *w, const task *t, const batch_run *runs, double *values) {
    size_t at = 0;
    for (size_t s = 0; s < w->table->setting_count; s++)
        if (belongs(&w->table->settings[s], t)) {
            w->table->cells[s * w->table->instance_count + t->instance] =
                summarise(runs + at, w->settings->starts, values);
            at += w->settings->starts;
        }
    return at;
}

static admmnn_status do_task(work *w, const task *t, const admmnn_context *context, batch_run *runs,
                             double *values, admmnn_error *err) {
    const admmnn_quadratics_settings *s = w->settings;
    const quadratics_instance *instance = &w->table->instances[t->instance];
    const batch_problem problem = {.d = s->dimension,
                                   .q = instance->q,
                                   .b = instance->b,
                                   .spacing = s->spacing,
                                   .rho = t->rho_relative * instance->lipschitz,
                                   .method = t->kernel,
                                   .iterations =
                                       is_admm(t->kernel) ? s->iterations : s->pgd_iterations,
                                   .last = s->last};
    size_t count = 0;
    for (size_t i = 0; i < w->table->setting_count; i++)
        count += belongs(&w->table->settings[i], t) ? s->starts : 0;
    fill_runs(w, t, runs);
    BASE_TRY(batch_solve(&problem, NULL, context, runs, count, err));
    atomic_fetch_add(&w->runs_done, keep_cells(w, t, runs, values));
    return ADMMNN_OK;
}

/* ---- threads ---- */

static void report(const admmnn_context *context, const char *what, size_t done, size_t total) {
    base_progress(context, &(admmnn_progress){
                               .task = what,
                               .unit = "runs",
                               .done = done,
                               .total = total,
                               .run_done = -1,
                           });
}

static admmnn_status do_tasks(void *work_, const admmnn_context *context, admmnn_error *err) {
    work *w = work_;
    batch_run *runs = base_array(w->table->setting_count * w->settings->starts, sizeof *runs);
    double *values = base_array(w->settings->starts, sizeof *values);
    admmnn_status status = ADMMNN_OK;
    if (runs == NULL || values == NULL)
        status = base_fail_memory(err, "the runs");
    for (size_t t; status == ADMMNN_OK && (t = atomic_fetch_add(&w->next, 1)) < w->task_count;) {
        status = do_task(w, &w->tasks[t], context, runs, values, err);
        report(context, "quadratics", atomic_load(&w->runs_done), w->runs);
    }
    base_free(runs);
    base_free(values);
    return status;
}

static admmnn_status make_instances(work *w, admmnn_error *err) {
    const double start = base_seconds();
    for (size_t i = 0; i < w->table->instance_count; i++) {
        report(w->context, "the optima", i, w->table->instance_count);
        BASE_TRY(quadratics_create(w->settings, w->first + (uint32_t)i, w->context,
                                   &w->table->instances[i], err));
    }
    w->table->exact_seconds = base_seconds() - start;
    return ADMMNN_OK;
}

static admmnn_status run_all(work *w, admmnn_error *err) {
    BASE_TRY(make_instances(w, err));
    make_tasks(w);
    const double start = base_seconds();
    admmnn_status status =
        crew_run(w->context, base_pool_resolve(w->context == NULL ? 0 : w->context->threads),
                 do_tasks, w, err);
    w->table->seconds = base_seconds() - start;
    return status;
}

admmnn_status bench_table_run(const admmnn_quadratics_settings *settings, uint32_t first,
                              const admmnn_context *context, bench_table *table,
                              admmnn_error *err) {
    const size_t cells = table->setting_count * settings->instances;
    work w = {.settings = settings,
              .context = context,
              .table = table,
              .first = first,
              .runs = cells * settings->starts};
    table->instance_count = settings->instances;
    table->instances = base_array(table->instance_count, sizeof *table->instances);
    table->cells = base_array(cells, sizeof *table->cells);
    w.tasks = base_array(cells, sizeof *w.tasks);
    admmnn_status status = table->instances == NULL || table->cells == NULL || w.tasks == NULL
                               ? base_fail_memory(err, "the experiment")
                               : run_all(&w, err);
    base_free(w.tasks);
    return status;
}

void bench_table_free(bench_table *table) {
    for (size_t i = 0; table->instances != NULL && i < table->instance_count; i++)
        quadratics_free(&table->instances[i]);
    base_free(table->instances);
    base_free(table->cells);
}

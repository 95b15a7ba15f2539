#include "admmq/bench.h"

#include <math.h>

#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "report/report.h"

#define JSON_NAME "quadratics.json"
#define BOXES_NAME "quadratics.svg"
#define RHO_NAME "quadratics-rho.svg"
#define JSON_MOST ((size_t)64 << 20)
#define MOST 1000000U

void admmnn_quadratics_defaults(admmnn_quadratics_settings *settings) {
    *settings = (admmnn_quadratics_settings){.dimension = 16,
                                             .instances = 12,
                                             .starts = 50,
                                             .condition = 10,
                                             .spacing = 8,
                                             .iterations = 30000,
                                             .pgd_iterations = 100000,
                                             .last = 50,
                                             .nodes = 1000000000,
                                             .seed = 1};
}

static admmnn_status check_count(const char *name, uint64_t value, uint64_t most,
                                 admmnn_error *err) {
    return value >= 1 && value <= most
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE, "%s are %llu; 1 to %llu make sense", name,
                           (unsigned long long)value, (unsigned long long)most);
}

static admmnn_status check(const admmnn_quadratics_settings *s, admmnn_error *err) {
    BASE_TRY(check_count("coordinates", s->dimension, 1000, err));
    BASE_TRY(check_count("instances", s->instances, 1000, err));
    BASE_TRY(check_count("starts", s->starts, MOST, err));
    BASE_TRY(check_count("iterations", s->iterations, UINT64_MAX / 2, err));
    BASE_TRY(check_count("iterations of pgd", s->pgd_iterations, UINT64_MAX / 2, err));
    BASE_TRY(check_count("last iterates", s->last, MOST, err));
    if (!(s->condition >= 0) || !isfinite(s->condition))
        return base_fail(err, ADMMNN_USAGE,
                         "the condition is %g; a finite number of at least 0 is "
                         "needed",
                         s->condition);
    return s->spacing > 0 && isfinite(s->spacing)
               ? ADMMNN_OK
               : base_fail(err, ADMMNN_USAGE,
                           "the spacing is %g; a finite number above 0 is needed", s->spacing);
}

/* ---- what is run ---- */

static admmnn_status choose(bench_result *r, admmnn_error *err) {
    for (int m = 0; m < BENCH_METHODS; m++) {
        BASE_TRY(bench_best(&r->grid, (admmnn_method)m, &r->best[m], err));
        r->chosen[m] = r->grid.settings[r->best[m]];
    }
    return ADMMNN_OK;
}

static admmnn_status measure(const admmnn_quadratics_settings *s, const admmnn_context *context,
                             bench_result *r, admmnn_error *err) {
    BASE_TRY(bench_table_run(s, 0, context, &r->grid, err));
    BASE_TRY(choose(r, err));
    BASE_TRY(bench_table_run(s, s->instances, context, &r->held_out, err));
    BASE_TRY(bench_compare(&r->grid, r->grid_pairs, err));
    return bench_compare(&r->held_out, r->held_out_pairs, err);
}

/* ---- what is left ---- */

static admmnn_status leave(const char *folder, const base_writer *json, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, JSON_NAME, err)); /* what took minutes */
    BASE_TRY(base_file_write(path, json->bytes, json->count, err));
    BASE_TRY(base_path_join(path, sizeof path, folder, BOXES_NAME, err));
    BASE_TRY(report_write_quadratics(path, (const char *)json->bytes, json->count, err));
    BASE_TRY(base_path_join(path, sizeof path, folder, RHO_NAME, err));
    return report_write_quadratics_rho(path, (const char *)json->bytes, json->count, err);
}

/* What cannot be written is told before minutes of work. */
static admmnn_status check_folder(const admmnn_quadratics_settings *s, admmnn_error *err) {
    static const char *const names[] = {JSON_NAME, BOXES_NAME, RHO_NAME};
    char path[BASE_PATH_MAX];
    BASE_TRY(base_folder_check_write(s->out, err));
    base_folder_sweep(s->out, names, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        BASE_TRY(base_path_join(path, sizeof path, s->out, names[i], err));
        if (base_name_taken(path) && !s->force)
            return base_fail(err, ADMMNN_USAGE, "%s is there already; --force replaces it", path);
        BASE_TRY(base_file_check_write(path, err));
    }
    return ADMMNN_OK;
}

/* In a folder that is this run's. */
static admmnn_status run_in_folder(const admmnn_quadratics_settings *settings,
                                   const admmnn_context *context, admmnn_error *err) {
    bench_setting grid[BENCH_SETTINGS];
    bench_result r = {.grid = {.settings = grid, .setting_count = BENCH_SETTINGS}};
    base_writer json = {0};
    r.held_out = (bench_table){.settings = r.chosen, .setting_count = BENCH_METHODS};
    r.threads = base_pool_resolve(context == NULL ? 0 : context->threads);
    BASE_TRY(check_folder(settings, err));
    bench_fill_grid(grid);
    admmnn_status status = measure(settings, context, &r, err);
    if (status == ADMMNN_OK) {
        bench_write_json(settings, &r, &json);
        status = json.failed ? base_fail_memory(err, "the experiment's figures")
                             : leave(settings->out, &json, err);
    }
    base_writer_free(&json);
    bench_table_free(&r.grid);
    bench_table_free(&r.held_out);
    return status;
}

admmnn_status admmnn_quadratics_run(const admmnn_quadratics_settings *settings,
                                    const admmnn_context *context, admmnn_error *err) {
    int lock;
    BASE_TRY(check(settings, err));
    BASE_TRY(base_folder_make(settings->out, err));
    BASE_TRY(base_folder_lock(settings->out, &lock, err));
    admmnn_status status = run_in_folder(settings, context, err);
    base_folder_unlock(lock);
    return status;
}

admmnn_status admmnn_quadratics_json(const char *out, char **text, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    size_t count;
    BASE_TRY(base_path_join(path, sizeof path, out, JSON_NAME, err));
    return base_file_read(path, JSON_MOST, (uint8_t **)text, &count, err);
}

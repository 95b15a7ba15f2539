#include <stdio.h>

#include "base/file.h"
#include "report/panels.h"
#include "report/report.h"

static void write_page(base_writer *out, const report_figures *f) {
    char title[160];
    snprintf(title, sizeof title, "%.100s, compressed by ADMM", report_text(f->result, "model"));
    page_begin(out, title);
    panel_headline(out, f);
    panel_table(out, f);
    panel_layers(out, f);
    panel_bytes(out, f);
    panel_curves(out, f);
    panel_projections(out, f);
    panel_residuals(out, f);
    if (f->unread > 0)
        base_write_text(out, "<p class=\"note\">%zu lines of the log could not be read.</p>\n",
                        f->unread);
    base_write_text(out, "<p class=\"note\">Written by admmnn " ADMMNN_VERSION ".</p>\n");
    page_end(out);
}

admmnn_status report_write_run(const char *folder, const char *result, size_t result_size,
                               const char *log, size_t log_size, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, "report.html", err));
    report_figures figures;
    base_writer page = {0};
    admmnn_status status = report_figures_read(result, result_size, log, log_size, &figures, err);
    if (status == ADMMNN_OK) {
        write_page(&page, &figures);
        status = page.failed ? base_fail_memory(err, "the report")
                             : base_file_write(path, page.bytes, page.count, err);
    } else {
        status = base_fail_within(err, status, "%s", path);
    }
    base_writer_free(&page);
    report_figures_free(&figures);
    return status;
}

#include <cjson/cJSON.h>
#include <string.h>

#include "base/file.h"
#include "report/report.h"
#include "report/text.h"

admmnn_status report_write_run(const char *folder, const char *result, size_t result_size,
                               const char *log, size_t log_size, admmnn_error *err) {
    (void)log;
    (void)log_size;
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, "report.html", err));
    cJSON *root = cJSON_ParseWithLength(result, result_size);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return base_fail(err, ADMMNN_CORRUPT, "%s: the run's result is not JSON", path);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    base_writer page = {0};
    base_write_text(&page,
                    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                    "<title>admmnn</title><pre>");
    report_escape(&page, text == NULL ? "" : text);
    base_write_text(&page, "</pre></html>\n");
    cJSON_free(text);
    admmnn_status status = page.failed ? base_fail_memory(err, "the report")
                                       : base_file_write(path, page.bytes, page.count, err);
    base_writer_free(&page);
    return status;
}

#include "compress/json_read.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

cJSON *json_read(const char *text, size_t count) {
    for (size_t i = 0; i < count; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
            return NULL;
    return cJSON_ParseWithLengthOpts(text, count + 1, NULL, 1);
}

bool json_read_number(const cJSON *object, const char *key, double *value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || item->valuedouble < 0)
        return false;
    *value = item->valuedouble;
    return true;
}

bool json_read_share(const cJSON *object, const char *key, double *value) {
    return json_read_number(object, key, value) && *value <= 1;
}

bool json_read_count(const cJSON *object, const char *key, uint64_t most, uint64_t *value) {
    double number;
    if (!json_read_number(object, key, &number) || number >= 0x1p53 || number != floor(number))
        return false;
    *value = (uint64_t)number;
    return *value <= most;
}

bool json_read_name(const cJSON *object, const char *key, char *out, size_t size) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
        return false;
    if (!base_text_is_plain(item->valuestring))
        return false;
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
    return true;
}

/* A member of a JSON file for the tests of the program: json_member FILE KEY... prints the value
 * that the keys lead to, an array's by number; all of the file without a key. Texts stand without
 * quotes, objects have a line for each member. Fails when the file is no JSON or has no such
 * member. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL when it cannot be read. */
static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    size_t capacity = 4096;
    size_t used = 0;
    char *text = malloc(capacity);
    while (text != NULL) {
        used += fread(text + used, 1, capacity - used - 1, file);
        if (used + 1 < capacity)
            break;
        capacity *= 2;
        text = realloc(text, capacity);
    }
    if (text != NULL)
        text[used] = 0;
    fclose(file);
    return text;
}

static const cJSON *member(const cJSON *value, const char *key) {
    if (!cJSON_IsArray(value))
        return cJSON_GetObjectItemCaseSensitive(value, key);
    char *end;
    const long index = strtol(key, &end, 10);
    return *key != 0 && *end == 0 && index >= 0 ? cJSON_GetArrayItem(value, (int)index) : NULL;
}

int main(int count, char **arguments) {
    char *text = count < 2 ? NULL : read_text(arguments[1]);
    cJSON *root = text == NULL ? NULL : cJSON_ParseWithOpts(text, NULL, 1);
    const cJSON *value = root;
    for (int i = 2; i < count && value != NULL; i++)
        value = member(value, arguments[i]);
    char *shown = value == NULL || cJSON_IsString(value) ? NULL : cJSON_Print(value);
    if (value != NULL)
        puts(shown == NULL ? value->valuestring : shown);
    const int status = value == NULL ? EXIT_FAILURE : EXIT_SUCCESS;
    free(shown);
    cJSON_Delete(root);
    free(text);
    return status;
}

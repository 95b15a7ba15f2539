/* What `data fetch` and `data path` print. */
#ifndef CLI_DATA_FOLDER_H
#define CLI_DATA_FOLDER_H

#include "command.h"

#define CLI_PATH_MAX 4096

/* The folder of the data set that operand 0 names, as a line or as JSON. */
admmnn_status cli_print_data_folder(const cli_arguments *arguments, admmnn_error *err);

#endif

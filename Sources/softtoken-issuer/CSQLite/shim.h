#include <sqlite3.h>
#include <time.h>

// SQLITE_TRANSIENT is a cast that Swift can't import: the text is copied.
static inline int st_bind_text(sqlite3_stmt *_Nonnull statement, int index,
                               const char *_Nonnull text, int count) {
    return sqlite3_bind_text(statement, index, text, count, SQLITE_TRANSIENT);
}

// A write takes a fraction of a millisecond; SQLite's own handler would sleep for up to 100. After a
// minute the caller is told.
static inline int st_wait(void *_Nullable unused, int count) {
    struct timespec pause = {0, count < 500 ? 200000 : 5000000};
    nanosleep(&pause, 0);
    return count < 12500;
}

// sqlite3_db_config is variadic. Nothing in a database that others made runs or is believed; the
// write-ahead log stays when the last process leaves, because moving it back costs two fsyncs.
static inline int st_configure(sqlite3 *_Nonnull database) {
    return sqlite3_busy_handler(database, st_wait, (void *)0) |
           sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0) |
           sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0) |
           sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)0) |
           sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)0) |
           sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

// Waits until the write-ahead log and its name in its folder are on the disk.
static inline int st_sync_log(sqlite3 *_Nonnull database) {
    sqlite3_file *file = 0;
    int result = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (result != SQLITE_OK) return result;
    if (!file || !file->pMethods) return SQLITE_IOERR;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

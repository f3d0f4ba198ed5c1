/**
 * What every program of Hawser shares: the table that picks one by its name, the command line's
 * parser and the handles of the process. A program's options are data ({@link
 * hawser.tools.Command}); parsing, help, manual pages and completion read the same table.
 */
@org.jspecify.annotations.NullMarked
package hawser.tools;

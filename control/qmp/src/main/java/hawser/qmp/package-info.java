/**
 * QMP sessions: a stream of JSON values, commands with their replies, and events. Commands are
 * dynamic here: a name and arguments go out, JSON comes back (qmp-spec).
 */
@org.jspecify.annotations.NullMarked
package hawser.qmp;

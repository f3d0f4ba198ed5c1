package hawser.fs.passthrough;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A guest has left, or arrived; for recordings of the Java Flight Recorder. */
@Name("hawser.FsMigration")
@Label("Migration of a shared folder's guest")
@Category("Hawser")
@StackTrace(false)
final class MigrationEvent extends Event {
  @Label("Direction")
  String direction = "";

  @Label("Succeeded")
  boolean succeeded;

  @Label("Inodes")
  long inodes;

  @Label("State bytes")
  long bytes;

  @Label("Phases")
  @Description("Each phase with its milliseconds")
  String phases = "";

  static MigrationEvent of(String direction, boolean succeeded, Progress.Now now) {
    var event = new MigrationEvent();
    event.direction = direction;
    event.succeeded = succeeded;
    event.inodes = now.inodes();
    event.bytes = now.bytes();
    event.phases = now.phases();
    return event;
  }
}

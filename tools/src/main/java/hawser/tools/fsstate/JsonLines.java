package hawser.tools.fsstate;

import hawser.base.json.Json;
import hawser.base.json.QemuJson;
import hawser.fs.state.Location;
import hawser.fs.state.SavedAttribute;
import hawser.fs.state.SavedFile;
import hawser.fs.state.SavedInode;
import hawser.fs.state.SavedLock;
import hawser.fs.state.SavedOption;
import hawser.fs.state.SavedSettings;
import hawser.fs.state.StateSink;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** A state as JSON objects, one a line, each with the piece's kind. */
final class JsonLines implements StateSink {
  private final Consumer<String> out;

  JsonLines(Consumer<String> out) {
    this.out = out;
  }

  private void say(String kind, Map<String, Json> members) {
    var all = new LinkedHashMap<String, Json>();
    all.put("kind", Json.of(kind));
    all.putAll(members);
    out.accept(QemuJson.compact(new Json.Obj(all)));
  }

  @Override
  public void settings(SavedSettings settings) {
    say(
        "settings",
        Map.of(
            "mounted", Json.of(settings.mounted()),
            "agreed", Json.of(TextLines.flags(settings.agreed())),
            "next-inode", Json.of(settings.nextNode()),
            "next-file", Json.of(settings.nextHandle())));
  }

  @Override
  public void option(SavedOption option) {
    say("option", Map.of("name", Json.of(option.name()), "value", Json.of(option.value())));
  }

  @Override
  public void inode(SavedInode inode) {
    var members = new LinkedHashMap<String, Json>();
    members.put("id", Json.of(inode.nodeId()));
    members.put("lookups", Json.of(inode.lookups()));
    members.put("in-use", Json.of(inode.needed()));
    members.put("inode", Json.of(inode.visibleInode()));
    switch (inode.location()) {
      case Location.Root _ -> members.put("root", Json.of(true));
      case Location.Named(long directory, var name) -> {
        members.put("directory", Json.of(directory));
        members.put("name", Json.of(name.toString()));
      }
      case Location.AtPath(var path) -> members.put("path", Json.of(path.toString()));
      case Location.ByHandle(var mount, var _) ->
          members.put("handle-on", Json.of(mount.toString()));
      case Location.Hidden(var name) -> members.put("hidden", Json.of(name.toString()));
      case Location.Embedded embedded -> {
        members.put("mode", Json.of(embedded.mode()));
        members.put("size", Json.of(embedded.size()));
      }
      case Location.Lost _ -> members.put("lost", Json.of(true));
    }
    say("inode", members);
  }

  @Override
  public void content(long nodeId, long offset, MemorySegment bytes) {
    say(
        "content",
        Map.of(
            "inode", Json.of(nodeId),
            "offset", Json.of(offset),
            "bytes", Json.of(bytes.byteSize())));
  }

  @Override
  public void attribute(long nodeId, SavedAttribute attribute) {
    say(
        "attribute",
        Map.of("inode", Json.of(nodeId), "name", Json.of(attribute.name().toString())));
  }

  @Override
  public void file(SavedFile file) {
    say(
        "file",
        Map.of(
            "id", Json.of(file.handle()),
            "inode", Json.of(file.nodeId()),
            "flags", Json.of(file.flags())));
  }

  @Override
  public void lock(SavedLock lock) {
    switch (lock) {
      case SavedLock.Range range ->
          say(
              "lock",
              Map.of(
                  "inode", Json.of(range.nodeId()),
                  "owner", Json.of(range.owner()),
                  "exclusive", Json.of(range.exclusive()),
                  "start", Json.of(range.start()),
                  "end", Json.of(range.end())));
      case SavedLock.Whole(long handle, boolean exclusive) ->
          say("lock", Map.of("file", Json.of(handle), "exclusive", Json.of(exclusive)));
    }
  }

  @Override
  public void end() {
    say("end", Map.of());
  }
}

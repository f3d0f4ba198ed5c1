package hawser.fs.passthrough;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.sys.ThreadCalls;
import java.util.OptionalInt;

/**
 * Acts on files as the guest's user does, for the length of one call on this thread, so that what
 * is made belongs to that user.
 */
final class Credentials {
  private static final int OWN_USER = ThreadCalls.userId();
  private static final int OWN_GROUP = ThreadCalls.groupId();

  private Credentials() {}

  /** A system call, answered by its result or a negated error number. */
  interface Action {
    long run();
  }

  /** The result of an action as the one who asks, in a further group where one is given. */
  static long as(int uid, int gid, OptionalInt group, Action action) throws BlockFault {
    boolean otherUser = uid != 0 && uid != OWN_USER;
    boolean otherGroup = gid != 0 && gid != OWN_GROUP;
    boolean grouped = group.isPresent() && OWN_USER == 0;
    if (!otherUser && !otherGroup && !grouped) {
      return action.run();
    }
    try {
      if (grouped) {
        Kernel.check(ThreadCalls.setGroups(group.getAsInt()));
      }
      if ((otherGroup && !ThreadCalls.actAsGroup(gid))
          || (otherUser && !ThreadCalls.actAsUser(uid))) {
        throw Kernel.no(Errno.EPERM);
      }
      return action.run();
    } finally {
      if (otherUser) {
        ThreadCalls.actAsUser(OWN_USER);
      }
      if (otherGroup) {
        ThreadCalls.actAsGroup(OWN_GROUP);
      }
      if (grouped) {
        ThreadCalls.setGroups();
      }
    }
  }

  private static final ThreadLocal<Boolean> OWN_UMASK =
      ThreadLocal.withInitial(() -> ThreadCalls.ownUmask() == 0);

  /** The result of an action under a umask, which is otherwise 0. */
  static long withUmask(int umask, Action action) {
    if (!OWN_UMASK.get()) {
      return -Errno.EPERM.number();
    }
    ThreadCalls.umask(umask);
    try {
      return action.run();
    } finally {
      ThreadCalls.umask(0);
    }
  }

  /** The result of an action that takes a file's set-user-ID and set-group-ID bits away. */
  static long withoutSetIds(Action action) {
    if (OWN_USER != 0) {
      return action.run();
    }
    ThreadCalls.keepSetIds(false);
    try {
      return action.run();
    } finally {
      ThreadCalls.keepSetIds(true);
    }
  }
}

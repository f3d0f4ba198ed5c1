package hawser.tools;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Signals that the Java platform has no interface for. Goes through {@code sun.misc.Signal} of
 * module jdk.unsupported by reflection, for the compiler warns of a direct use and every warning is
 * an error here.
 */
public final class Signals {
  private Signals() {}

  /**
   * Runs {@code action} on a thread of its own whenever the signal comes.
   *
   * @param name without SIG: {@code USR1}
   */
  public static void handle(String name, Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      InvocationHandler calls = (proxy, method, args) -> called(proxy, method, args, action);
      Object proxy =
          Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, calls);
      Method handle = signal.getMethod("handle", signal, handler);
      handle.invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("SIG" + name + " cannot be handled", e);
    }
  }

  private static @org.jspecify.annotations.Nullable Object called(
      Object proxy, Method method, Object[] args, Runnable action) {
    return switch (method.getName()) {
      case "handle" -> {
        action.run();
        yield null;
      }
      case "equals" -> System.identityHashCode(proxy) == System.identityHashCode(args[0]);
      case "hashCode" -> System.identityHashCode(proxy);
      default -> "signal handler";
    };
  }
}

package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.nbd.transport.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.bouncycastle.tls.BasicTlsPSKIdentity;
import org.bouncycastle.tls.PSKTlsClient;
import org.bouncycastle.tls.PSKTlsServer;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsPSKIdentityManager;
import org.bouncycastle.tls.TlsServerProtocol;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.2 with keys that both sides have beforehand, in psktool's file: a line {@code
 * user:hexadecimal key} for each.
 */
public final class PskSide implements TlsSide {
  private static final long BYTES_MAX = 4 << 20;

  private final Map<String, byte[]> keys;
  private final String user;

  private PskSide(Map<String, byte[]> keys, String user) {
    this.keys = keys;
    this.user = user;
  }

  /** A server that knows every key of the file. */
  public static PskSide server(Path file) throws BlockFault {
    return new PskSide(read(file), "");
  }

  /** A client that goes by the name of {@code user}. */
  public static PskSide client(Path file, String user) throws BlockFault {
    Map<String, byte[]> keys = read(file);
    if (!keys.containsKey(user)) {
      throw new BlockFault(
          Errno.EINVAL, "Username %s not found in PSK file %s".formatted(user, file));
    }
    return new PskSide(keys, user);
  }

  private static Map<String, byte[]> read(Path file) throws BlockFault {
    var keys = new HashMap<String, byte[]>();
    try {
      if (Files.size(file) > BYTES_MAX) {
        throw new BlockFault(Errno.EFBIG, "PSK file " + file + " is longer than 4 MiB");
      }
      for (String line : Files.readAllLines(file)) {
        int colon = line.indexOf(':');
        if (colon > 0) {
          String hex = line.substring(colon + 1).strip();
          keys.put(line.substring(0, colon), HexFormat.of().parseHex(hex));
        }
      }
      return keys;
    } catch (IOException e) {
      String why = Files.exists(file) ? String.valueOf(e.getMessage()) : Errno.ENOENT.text();
      throw new BlockFault(Errno.EIO, "Cannot read PSK file " + file + ": " + why, e);
    } catch (IllegalArgumentException e) {
      throw new BlockFault(
          Errno.EINVAL, "Cannot read PSK file " + file + ": a key is not hexadecimal", e);
    }
  }

  @Override
  public Transport client(Transport plain) {
    var protocol =
        new TlsClientProtocol(StreamTransport.input(plain), StreamTransport.output(plain));
    byte[] key = keys.getOrDefault(user, new byte[0]);
    try {
      protocol.connect(
          new PSKTlsClient(
              new BcTlsCrypto(new SecureRandom()),
              new BasicTlsPSKIdentity(user.getBytes(StandardCharsets.UTF_8), key)));
    } catch (IOException e) {
      throw new PeerFault("TLS handshake failed: " + e.getMessage(), e);
    }
    return new StreamTransport(plain, protocol);
  }

  @Override
  public Transport server(Transport plain) {
    var protocol =
        new TlsServerProtocol(StreamTransport.input(plain), StreamTransport.output(plain));
    try {
      protocol.accept(new PSKTlsServer(new BcTlsCrypto(new SecureRandom()), new Known()));
    } catch (IOException e) {
      throw new PeerFault("TLS handshake failed: " + e.getMessage(), e);
    }
    return new StreamTransport(plain, protocol);
  }

  /** Looks keys up. */
  private final class Known implements TlsPSKIdentityManager {
    @Override
    public byte @Nullable [] getHint() {
      return null;
    }

    @Override
    public byte @Nullable [] getPSK(byte[] identity) {
      byte[] key = keys.get(new String(identity, StandardCharsets.UTF_8));
      return key == null ? null : key.clone();
    }
  }
}

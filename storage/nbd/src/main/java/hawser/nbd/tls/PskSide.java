package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.nbd.transport.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Vector;
import java.util.stream.IntStream;
import org.bouncycastle.tls.BasicTlsPSKExternal;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.PRFAlgorithm;
import org.bouncycastle.tls.PSKTlsClient;
import org.bouncycastle.tls.PSKTlsServer;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.PskIdentity;
import org.bouncycastle.tls.TlsPSKExternal;
import org.bouncycastle.tls.TlsPSKIdentityManager;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.3 and 1.2 with keys that both sides have beforehand, in psktool's file: a line {@code
 * user:hexadecimal key} for each.
 */
public final class PskSide implements TlsSide {
  private static final long BYTES_MAX = 4 << 20;

  private static final ProtocolVersion[] VERSIONS =
      ProtocolVersion.TLSv13.downTo(ProtocolVersion.TLSv12);

  private final TlsCrypto crypto = new BcTlsCrypto(new SecureRandom());
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
    return StreamTransport.client(
        plain, new KeyedClient(crypto, user, keys.getOrDefault(user, new byte[0])));
  }

  @Override
  public Transport server(Transport plain) {
    return StreamTransport.server(plain, new KeyedServer(crypto, new Known()));
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

  /** Those of TLS 1.3 whose hash is that of {@link #external}, in front of the older ones. */
  private static int[] suites(int[] older) {
    var newer =
        IntStream.of(CipherSuite.TLS_AES_128_GCM_SHA256, CipherSuite.TLS_CHACHA20_POLY1305_SHA256);
    return IntStream.concat(newer, IntStream.of(older)).toArray();
  }

  /**
   * A key as TLS 1.3 takes it: with SHA-256, where nothing else is agreed on (RFC 8446, 4.2.11).
   */
  private static TlsPSKExternal external(TlsCrypto crypto, byte[] identity, byte[] key) {
    return new BasicTlsPSKExternal(
        identity, crypto.createSecret(key), PRFAlgorithm.tls13_hkdf_sha256);
  }

  private static final class KeyedClient extends PSKTlsClient {
    KeyedClient(TlsCrypto crypto, String user, byte[] key) {
      super(crypto, user.getBytes(StandardCharsets.UTF_8), key);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return VERSIONS;
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return suites(super.getSupportedCipherSuites());
    }

    @Override
    public Vector<TlsPSKExternal> getExternalPSKs() {
      return new Vector<>(
          List.of(external(getCrypto(), pskIdentity.getPSKIdentity(), pskIdentity.getPSK())));
    }
  }

  private static final class KeyedServer extends PSKTlsServer {
    KeyedServer(TlsCrypto crypto, TlsPSKIdentityManager known) {
      super(crypto, known);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return VERSIONS;
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return suites(super.getSupportedCipherSuites());
    }

    @Override
    @SuppressWarnings("rawtypes") // As the library declares it.
    public @Nullable TlsPSKExternal getExternalPSK(Vector identities) {
      for (Object offered : identities) {
        byte[] identity = ((PskIdentity) offered).getIdentity();
        byte[] key = pskIdentityManager.getPSK(identity);
        if (key != null) {
          return external(getCrypto(), identity, key);
        }
      }
      return null;
    }
  }
}

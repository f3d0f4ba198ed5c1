package hawser.nbd.tls;

import hawser.nbd.transport.Transport;
import java.io.IOException;
import java.security.SecureRandom;
import org.bouncycastle.tls.AbstractTlsClient;
import org.bouncycastle.tls.AbstractTlsServer;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.TlsAuthentication;
import org.bouncycastle.tls.TlsCredentials;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;
import org.jspecify.annotations.Nullable;

/**
 * TLS that hides what is said and proves nobody's name: QEMU's {@code tls-creds-anon}. Only TLS 1.2
 * and older know it (RFC 5246, F.1.1.1), and QEMU's side does it with Diffie-Hellman over numbers.
 */
public final class AnonymousSide implements TlsSide {
  private static final int[] SUITES = {
    CipherSuite.TLS_DH_anon_WITH_AES_256_GCM_SHA384,
    CipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_DH_anon_WITH_AES_256_CBC_SHA256,
    CipherSuite.TLS_DH_anon_WITH_AES_128_CBC_SHA256,
  };

  private final TlsCrypto crypto = new BcTlsCrypto(new SecureRandom());

  /** Either end. */
  public AnonymousSide() {}

  @Override
  public Transport client(Transport plain) {
    return StreamTransport.client(plain, new NamelessClient(crypto));
  }

  @Override
  public Transport server(Transport plain) {
    return StreamTransport.server(plain, new NamelessServer(crypto));
  }

  private static final class NamelessClient extends AbstractTlsClient {
    NamelessClient(TlsCrypto crypto) {
      super(crypto);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return ProtocolVersion.TLSv12.only();
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return SUITES.clone();
    }

    @Override
    public TlsAuthentication getAuthentication() throws IOException {
      throw new TlsFatalAlert(AlertDescription.internal_error);
    }
  }

  private static final class NamelessServer extends AbstractTlsServer {
    NamelessServer(TlsCrypto crypto) {
      super(crypto);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return ProtocolVersion.TLSv12.only();
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return SUITES.clone();
    }

    @Override
    public @Nullable TlsCredentials getCredentials() {
      return null;
    }
  }
}

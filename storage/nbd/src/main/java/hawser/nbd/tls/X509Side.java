package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import hawser.base.PeerFault;
import hawser.nbd.transport.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Predicate;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.bouncycastle.asn1.x500.X500Name;
import org.jspecify.annotations.Nullable;

/**
 * TLS with certificates out of a folder, by QEMU's file names: {@code ca-cert.pem}, {@code
 * ca-crl.pem}, and {@code server-cert.pem} with {@code server-key.pem}, or {@code client-} both.
 */
public final class X509Side implements TlsSide {
  private static final char[] NO_PASSWORD = new char[0];

  /** In the place of a name, where there is none to compare. */
  private static final String ANY_NAME = "";

  private static final TrustManager[] EVERYBODY = {new TrustInEverybody()};

  private final SSLContext context;
  private final boolean verifyPeer;
  private final @Nullable String hostname;
  private final Predicate<String> admits;

  private X509Side(
      SSLContext context, boolean verifyPeer, @Nullable String hostname, Predicate<String> admits) {
    this.context = context;
    this.verifyPeer = verifyPeer;
    this.hostname = hostname;
    this.admits = admits;
  }

  /**
   * Reads the files of one end.
   *
   * @param folder where they are
   * @param server whether for a server, which must have a certificate
   * @param verifyPeer whether the other side must prove who it is
   * @throws BlockFault with the file's name when one is missing or makes no sense
   */
  public static X509Side of(Path folder, boolean server, boolean verifyPeer) throws BlockFault {
    Path authority = folder.resolve("ca-cert.pem");
    String end = server ? "server" : "client";
    Path certificate = folder.resolve(end + "-cert.pem");
    Path key = folder.resolve(end + "-key.pem");
    needed(authority);
    if (server) {
      needed(certificate);
      needed(key);
    }
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(
          Files.exists(certificate) ? keys(certificate, key).getKeyManagers() : null,
          verifyPeer ? trust(authority, folder.resolve("ca-crl.pem")) : EVERYBODY,
          new SecureRandom());
      return new X509Side(context, verifyPeer, null, name -> true);
    } catch (GeneralSecurityException | IOException e) {
      throw new BlockFault(
          Errno.EINVAL, "Cannot use the certificates in '" + folder + "': " + e.getMessage(), e);
    }
  }

  /** A client that trusts what this machine's Java trusts. */
  public static X509Side ofSystem(boolean verifyPeer) throws BlockFault {
    try {
      if (verifyPeer) {
        return new X509Side(SSLContext.getDefault(), true, null, name -> true);
      }
      var context = SSLContext.getInstance("TLS");
      context.init(null, EVERYBODY, new SecureRandom());
      return new X509Side(context, false, null, name -> true);
    } catch (GeneralSecurityException e) {
      throw new BlockFault(Errno.EINVAL, "TLS is not available: " + e.getMessage(), e);
    }
  }

  private static void needed(Path file) throws BlockFault {
    if (!Files.exists(file)) {
      throw new BlockFault(
          Errno.ENOENT, "Unable to access credentials " + file + ": No such file or directory");
    }
  }

  private static KeyManagerFactory keys(Path certificate, Path key)
      throws BlockFault, GeneralSecurityException, IOException {
    var chain = new PemFile(certificate, "certificate").certificates();
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, NO_PASSWORD);
    store.setKeyEntry(
        "own",
        new PemFile(key, "key").privateKey(),
        NO_PASSWORD,
        chain.toArray(X509Certificate[]::new));
    var factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(store, NO_PASSWORD);
    return factory;
  }

  private static TrustManager[] trust(Path authority, Path revoked)
      throws BlockFault, GeneralSecurityException, IOException {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, NO_PASSWORD);
    List<X509Certificate> authorities = new PemFile(authority, "CA certificate").certificates();
    for (int i = 0; i < authorities.size(); i++) {
      store.setCertificateEntry("ca" + i, authorities.get(i));
    }
    var factory = TrustManagerFactory.getInstance("PKIX");
    if (Files.exists(revoked)) {
      var parameters = new PKIXBuilderParameters(store, new X509CertSelector());
      var lists = new CollectionCertStoreParameters(new PemFile(revoked, "CRL").revocations());
      parameters.addCertStore(CertStore.getInstance("Collection", lists));
      parameters.setRevocationEnabled(true);
      factory.init(new CertPathTrustManagerParameters(parameters));
    } else {
      factory.init(store);
    }
    TrustManager[] managers = factory.getTrustManagers();
    for (int i = 0; i < managers.length; i++) {
      if (managers[i] instanceof X509ExtendedTrustManager judge) {
        managers[i] = new UnlistedTrust(judge);
      }
    }
    return managers;
  }

  /** The same, expecting this name in the server's certificate. */
  public X509Side expecting(@Nullable String name) {
    return new X509Side(context, verifyPeer, name, admits);
  }

  /** The same, content with any name that an authority has certified. */
  public X509Side expectingAnyName() {
    return new X509Side(context, verifyPeer, ANY_NAME, admits);
  }

  /** The same, admitting only clients whose distinguished name passes. */
  public X509Side admitting(Predicate<String> names) {
    return new X509Side(context, verifyPeer, hostname, names);
  }

  @Override
  public Transport client(Transport plain) {
    if (verifyPeer && hostname == null) {
      throw new PeerFault("No hostname for certificate validation");
    }
    boolean named = hostname != null && !hostname.isEmpty();
    SSLEngine engine = named ? context.createSSLEngine(hostname, 0) : context.createSSLEngine();
    engine.setUseClientMode(true);
    if (verifyPeer && named) {
      SSLParameters parameters = engine.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      engine.setSSLParameters(parameters);
    }
    return new EngineTransport(plain, engine);
  }

  @Override
  public Transport server(Transport plain) {
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(false);
    engine.setNeedClientAuth(verifyPeer);
    var encrypted = new EngineTransport(plain, engine);
    if (verifyPeer) {
      String name = name(engine);
      if (!admits.test(name)) {
        encrypted.close();
        throw new PeerFault("TLS x509 authz check for " + name + " is denied");
      }
    }
    return encrypted;
  }

  private static String name(SSLEngine engine) {
    try {
      var first = (X509Certificate) engine.getSession().getPeerCertificates()[0];
      // In the certificate's own order, which is GnuTLS's and so what QEMU's users write down.
      return X500Name.getInstance(first.getSubjectX500Principal().getEncoded()).toString();
    } catch (SSLPeerUnverifiedException e) {
      throw new PeerFault("client has no certificate", e);
    }
  }
}

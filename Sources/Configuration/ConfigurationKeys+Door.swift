// The rows for who is met how at the door: certificates by name, TLS versions, and the relays in front that say who comes.

extension ConfigurationKey {
    /// Stands behind the other keys of `[tls]`.
    static let furtherTLS = [
        ConfigurationKey("tls.certificates", \.tls.certificates, default: [], reload: .certificate, """
            Further certificates, each "chain:key": "etc/tls/example.net.pem:etc/tls/example.net.key".
            A client that asks for a name (SNI) is shown the one that bears it, any other client `tls.certificate`.
            """),
        ConfigurationKey("tls.profile", \.tls.profile, default: .compatible, reload: .restart(
            Service.allCases.filter(\.isNetworkService), why: "versions and ciphers are set where the certificates are read at the start"), """
            Whom we speak TLS with: `compatible` takes TLS 1.2 (forward secrecy and AEAD ciphers only) and 1.3, `modern` 1.3 alone.
            """),
    ]

    static let door = [
        ConfigurationKey("proxy.networks", \.proxy.networks, default: [], reload: .restart(
            Service.allCases.filter(\.isNetworkService), why: "whom a listener believes is fixed when it opens"), """
            Addresses of load balancers, "192.0.2.7" or "10.0.0.0/8". What connects from there must begin with a header of the PROXY
            protocol, version 2, on every listener, before TLS too; the client that it names is the one that counts.
            """),
        ConfigurationKey("xclient.networks", \.xclient.networks, default: [], reload: .live, """
            Addresses of mail filters in front of port 25 that may say with XCLIENT which client they speak for.
            Whoever is in here can claim any address: name single hosts.
            """),
    ]
}

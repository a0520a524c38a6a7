// The records that DNS must have for what this version serves: printed by `setup`, compared by `doctor`.

import Configuration
import Kernel
import MailModel
import Resolver

/// A record as a zone file has it.
struct DNSRecord: Hashable, Sendable {
    let name: String
    let type: String
    let value: String
    /// What it is for.
    let purpose: String

    /// A line for a zone file.
    var line: String { "\(name). IN \(type) \(value)" }
}

extension DNSRecord {
    /// MX, address, SPF and service records of a domain (RFC 5321 §5, RFC 7208, RFC 6186, RFC 8314 §5.1).
    static func all(domain: Domain, hostname: Domain, addresses: [[UInt8]], listen: Configuration.Listen) -> [DNSRecord] {
        self.addresses(of: hostname, addresses) + [exchange(domain, hostname), policy(domain)] + services(domain, hostname, listen)
    }

    static func addresses(of hostname: Domain, _ addresses: [[UInt8]]) -> [DNSRecord] {
        let known = addresses.map { address in
            DNSRecord(
                name: hostname.description, type: address.count == 4 ? "A" : "AAAA", value: StubResolver.text(of: address).display,
                purpose: "where this machine is")
        }
        return known.isEmpty
            ? [DNSRecord(name: hostname.description, type: "A", value: "<public address of this machine>", purpose: "where this machine is")] : known
    }

    static func exchange(_ domain: Domain, _ hostname: Domain) -> DNSRecord {
        DNSRecord(name: domain.description, type: "MX", value: "10 \(hostname).", purpose: "which host takes the domain's mail")
    }

    static func policy(_ domain: Domain) -> DNSRecord {
        DNSRecord(name: domain.description, type: "TXT", value: "\"v=spf1 mx -all\"", purpose: "which hosts send the domain's mail")
    }

    /// Those of the listeners that mail programs look for; the one with TLS from the first byte is preferred.
    static func services(_ domain: Domain, _ hostname: Domain, _ listen: Configuration.Listen) -> [DNSRecord] {
        let found: [(ListenerName, priority: Int)] = [(.submissions, 0), (.submission, 10), (.imaps, 0), (.imap, 10), (.pop3s, 20), (.pop3, 30)]
        return found.compactMap { name, priority -> DNSRecord? in
            guard let port = listen[name].first(where: { !$0.isLoopback })?.port else { return nil }
            return DNSRecord(
                name: "_\(name.rawValue)._tcp.\(domain)", type: "SRV", value: "\(priority) 1 \(port) \(hostname).",
                purpose: "where mail programs find \(name.rawValue)")
        }
    }

    /// What is asked of whoever owns the addresses: usually the provider.
    static func reverse(_ hostname: Domain, _ addresses: [[UInt8]]) -> [DNSRecord] {
        addresses.map { address in
            DNSRecord(
                name: PublicAddress.reversed(address, in: address.count == 4 ? "in-addr.arpa" : "ip6.arpa").display, type: "PTR",
                value: "\(hostname).", purpose: "the name of \(StubResolver.text(of: address).display); the owner of the address sets it")
        }
    }
}

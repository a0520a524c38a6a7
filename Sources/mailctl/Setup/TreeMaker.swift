// The one way to a tree, for `init` and `setup`: configuration, users, folders. What is there is used and never overwritten.

import ArgumentParser
import Configuration
import Kernel
import MailModel

/// What kind of tree.
struct TreeOptions: ParsableArguments {
    @Flag(help: "For development: unprivileged ports on loopback, a self-signed certificate, plain-text login on loopback.")
    var dev = false

    @Option(help: "With --dev: each port is this plus the standard port.")
    var basePort = ConfigurationSample.developmentBasePort
}

struct TreeMaker {
    let path: Path
    private let tree: TreeOptions
    /// Whether it is the system's installation, with the system's folders.
    private let isSystem: Bool

    init(_ options: GlobalOptions, _ tree: TreeOptions) {
        path = options.configurationFile
        isSystem = options.root == nil && options.config == nil
        self.tree = tree
    }

    static func hasDirectory(_ configuration: Configuration) -> Bool {
        (try? DirectoryDescriptor(passing: configuration.paths.directory).status(of: "directory.db")) != nil
    }

    /// Makes users where root may, folders, and mailctl's log.
    func makeFolders(_ configuration: Configuration) throws(Failure) -> Setup {
        let setup = Setup(configuration, file: path, asRoot: Identity.isRoot)
        try setup.makeTree()
        try AdministratorLog.prepare(configuration)
        return setup
    }

    /// False if there was one. `hostname`: nil for what the machine calls itself.
    func writeConfiguration(domain: Domain, hostname: Domain? = nil) throws(Failure) -> Bool {
        let text = try configurationText(domain, hostname)
        return try attempting { () throws(KernelError) in
            try FolderMaker.makePath(path.parent)
            let folder = try DirectoryDescriptor(opening: path.parent)
            do throws(KernelError) {
                _ = try folder.status(of: path.lastComponent)
                return false
            } catch {
                guard error.isMissing else { throw error }
            }
            try folder.replace(path.lastComponent, with: Array(text.utf8), mode: 0o644)
            return true
        }
    }

    private func configurationText(_ domain: Domain, _ hostname: Domain?) throws(Failure) -> String {
        var values: [String: ConfigurationLiteral] = [:]
        var purpose = ""
        if tree.dev {
            guard let development = ConfigurationSample.development(basePort: tree.basePort) else {
                throw Failure(.usage, "--base-port \(tree.basePort) leads above port 65535", remedy: "name one from 0 to 64540")
            }
            values = development
            purpose = ConfigurationSample.developmentPurpose
            if let hostname { values["hostname"] = .text(hostname.description) }
        } else {
            values["hostname"] = .text((hostname ?? HostName.found(for: domain)).description)
        }
        if isSystem { values.merge(TreeMaker.systemPaths) { $1 } }
        return ConfigurationSample.text(values, purpose: purpose)
    }

    private static let systemPaths: [String: ConfigurationLiteral] = [
        "paths.root": .text("/etc/martlet"), "paths.spool": .text("/var/spool/martlet"), "paths.store": .text("/var/spool/martlet/mail"),
        "paths.cache": .text("/var/cache/martlet"), "paths.directory": .text("/var/spool/martlet/directory"),
        "tls.certificate": .text("/etc/martlet/tls/certificate.pem"), "tls.key": .text("/etc/martlet/tls/key.pem"),
    ]
}

/// What this machine is called in the world, as far as it knows itself: nobody is asked.
enum HostName {
    /// The kernel's name if it is whole, else what /etc/hosts makes of it, else `mail.` the domain.
    static func found(for domain: Domain) -> Domain {
        let hosts = Machine.text(of: "/etc/hosts") ?? []
        return choose(kernel: Identity.hostName(), hosts: hosts) ?? Domain("mail.\(domain)") ?? domain
    }

    static func choose(kernel name: String, hosts: [UInt8]) -> Domain? {
        if name.contains(".") { return whole(name) }
        for line in hosts.split(separator: 0x0A) {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 0x20 || $0 == 0x09 }.dropFirst().map(\.display)
            guard words.contains(name), let full = words.first(where: { $0.hasPrefix(name + ".") }), let domain = whole(full) else { continue }
            return domain
        }
        return nil
    }

    /// A name that others could look up.
    private static func whole(_ name: String) -> Domain? {
        guard name.contains("."), !name.hasPrefix("localhost."), !name.hasSuffix(".localdomain"), !name.hasSuffix(".local") else { return nil }
        return Domain(name).flatMap { $0.isAddressLiteral ? nil : $0 }
    }
}

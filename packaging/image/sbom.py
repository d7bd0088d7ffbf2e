"""What an image is made of, as an SPDX 2.3 document."""
import time

from debian import run

# Compiled in: header-only, or compiled with podferry. What is linked is in the image, as a package.
COMPILED_IN = ["libboost1.81-dev", "libcli11-dev", "libexpected-dev", "libprotozero-dev"]


def package(name, version, purl, **more):
    found = {"SPDXID": "SPDXRef-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in name), "name": name, "versionInfo": version,
             "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
             "copyrightText": "NOASSERTION", **more}
    if purl:
        found["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return found


def purl_of(name, version, architecture):
    escaped = version.replace("+", "%2B").replace(":", "%3A").replace("~", "~")
    return f"pkg:deb/debian/{name}@{escaped}?arch={architecture}"


def of_debian(item):
    return package(item.name, item.version, purl_of(item.name, item.version, item.architecture), supplier="Organization: Debian",
                   sourceInfo=f"built from Debian's source package {item.source}; its licence is in /usr/share/doc/{item.name}/copyright",
                   checksums=[{"algorithm": "SHA256", "checksumValue": item.sha256}])


def compiled_in(architecture):
    """Of the machine that has compiled them in."""
    for name in COMPILED_IN:
        version = run(["dpkg-query", "-W", "-f", "${Version}", name])
        yield package(name, version, purl_of(name, version, architecture), supplier="Organization: Debian")


def document(image, packages):
    """`image`: name, version, architecture, revision, digest, epoch."""
    whole = package("podferry-image", image["version"], "", primaryPackagePurpose="CONTAINER",
                    checksums=[{"algorithm": "SHA256", "checksumValue": image["digest"].removeprefix("sha256:")}])
    ours = package("podferry", image["version"], "", licenseDeclared="Apache-2.0", primaryPackagePurpose="APPLICATION",
                   sourceInfo=f"commit {image['revision']}")
    linked = [of_debian(item) for item in packages]
    built = list(compiled_in(image["architecture"]))

    def related(one, how, other):
        return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}

    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"podferry-{image['version']}-{image['architecture']}",
        "documentNamespace": f"https://spdx.org/spdxdocs/podferry-{image['version']}-{image['architecture']}-{image['digest'].split(':')[1]}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(image["epoch"])), "creators": ["Tool: podferry-dev-image"]},
        "packages": [whole, ours, *linked, *built],
        "relationships": [
            related("SPDXRef-DOCUMENT", "DESCRIBES", whole["SPDXID"]),
            *(related(whole["SPDXID"], "CONTAINS", each["SPDXID"]) for each in (ours, *linked)),
            *(related(ours["SPDXID"], "STATIC_LINK", each["SPDXID"]) for each in built),
        ],
    }

// One shard of a manifest's tracks as a database of its own.
process PERSEA_INGEST {
    tag "${meta.id} ${shard}/${n_shards}"
    label 'process_medium'

    input:
    tuple val(meta), path(manifest), path(tracks), val(shard), val(n_shards)
    tuple val(assembly), path(regions)
    path annotation, stageAs: 'annotation/*' // options that name these files stand in ext.args

    output:
    tuple val(meta), path("${prefix}.persea"), emit: shard
    path 'versions.yml', emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def args2 = task.ext.args2 ?: ''
    prefix = task.ext.prefix ?: "${meta.id}.${shard}-of-${n_shards}"
    """
    [ -d "${prefix}.persea" ] || persea create --db "${prefix}.persea" --assembly ${assembly} --regions ${regions} ${args}
    persea ingest ${manifest} --shard ${shard}/${n_shards} --db "${prefix}.persea" --threads ${task.cpus} ${args2}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        persea: \$(persea --version | sed 's/persea //')
    END_VERSIONS
    """
}
